#!/usr/bin/env -S gjs -m
// SPDX-License-Identifier: LGPL-2.1-or-later
// A window with a list that cothreads fill: each row counts on in a task of its
// own, and its button cancels that. --quit-after=MS closes it by itself.

import Cothread from 'gi://Cothread?version=1.0';
import Gtk from 'gi://Gtk?version=4.0';
import GLib from 'gi://GLib';

const quitAfter = Number((ARGV.find(argument => argument.startsWith('--quit-after=')) || '=').split('=')[1]);

function* count(label, button, pause) {
    try {
        for (let n = 1; ; n++) {
            label.label = `${n}, every ${pause} ms`;
            yield Cothread.sleep(pause);
        }
    } finally {
        label.label = `cancelled after ${label.label}`;
        button.sensitive = false;
    }
}

function addRow(list) {
    const box = new Gtk.Box({spacing: 12, margin_start: 6, margin_end: 6});
    const label = new Gtk.Label({xalign: 0, hexpand: true});
    const button = new Gtk.Button({label: 'Cancel'});
    const pause = 50 + Math.floor(Math.random() * 950);
    const task = Cothread.spawn(() => count(label, button, pause), {name: `row of ${pause} ms`});
    button.connect('clicked', () => task.cancel());
    box.append(label);
    box.append(button);
    list.append(box);
    return button;
}

function* watch(summary) {
    for (;;) {
        const {tasks, waiting} = Cothread.Scheduler.get_default().get_statistics();
        summary.label = `${tasks} tasks, ${waiting} waiting`;
        yield Cothread.sleep(250);
    }
}

Gtk.init();
const loop = new GLib.MainLoop(null, false);
const window = new Gtk.Window({title: 'Cothreads in JavaScript', default_width: 420, default_height: 480});
const content = new Gtk.Box({orientation: Gtk.Orientation.VERTICAL, spacing: 6, margin_top: 6, margin_bottom: 6});
const list = new Gtk.ListBox({selection_mode: Gtk.SelectionMode.NONE});
const add = new Gtk.Button({label: 'Add a row', margin_start: 6, margin_end: 6});
const summary = new Gtk.Label();
content.append(add);
content.append(new Gtk.ScrolledWindow({child: list, vexpand: true}));
content.append(summary);
window.child = content;
add.connect('clicked', () => addRow(list));
window.connect('close-request', () => {
    loop.quit();
    return false;
});
const buttons = [];
for (let i = 0; i < 8; i++)
    buttons.push(addRow(list));
Cothread.spawn(watch.bind(null, summary), {name: 'summary'});
if (quitAfter > 0) {
    Cothread.spawn(function* quit() {
        yield Cothread.sleep(quitAfter / 2);
        buttons[0].emit('clicked');
        yield Cothread.sleep(quitAfter / 2);
        print(summary.label);
        loop.quit();
    });
}
window.present();
loop.run();
