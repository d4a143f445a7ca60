#!/usr/bin/env -S gjs -m
// SPDX-License-Identifier: LGPL-2.1-or-later
// A window with a list that cothreads fill: each row counts on in a task of its
// own, and its button cancels that. --dashboard also shows the dashboard, which
// watches these tasks from a process of its own; --quit-after=MS closes the window.

import Cothread from 'gi://Cothread?version=1.0';
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import Gtk from 'gi://Gtk?version=4.0';

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

let monitor = null;

// Answers on the session bus, and starts a dashboard that asks there.
function* showDashboard(button) {
    button.sensitive = false;
    try {
        if (monitor === null)
            monitor = Cothread.BusMonitor.new(Cothread.Scheduler.get_default());
        const [here] = GLib.filename_from_uri(import.meta.url);
        // demos/run builds it, if need be.
        const program = GLib.getenv('COTHREAD_DASHBOARD') || GLib.build_filenamev([here, '..', '..', 'run']);
        const launcher = Gio.SubprocessLauncher.new(Gio.SubprocessFlags.NONE);
        launcher.unsetenv('LD_LIBRARY_PATH'); // it finds its own
        const pid = new Gio.Credentials().get_unix_pid();
        const dashboard = launcher.spawnv([program, '--attach', `${pid}`, '--page', 'tasks']);
        // A look now and then: GJS may drop the callback of a wait (see the documentation).
        while (dashboard.get_identifier() !== null)
            yield Cothread.sleep(200);
    } catch (error) {
        printerr(`The dashboard cannot be started: ${error.message}`);
    } finally {
        button.sensitive = true;
    }
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
const dashboardButton = new Gtk.Button({label: 'Watch in the dashboard', margin_start: 6, margin_end: 6});
content.append(add);
content.append(dashboardButton);
content.append(new Gtk.ScrolledWindow({child: list, vexpand: true}));
content.append(summary);
window.child = content;
add.connect('clicked', () => addRow(list));
const show = () => Cothread.spawn(showDashboard.bind(null, dashboardButton), {name: 'dashboard'});
dashboardButton.connect('clicked', show);
window.connect('close-request', () => {
    loop.quit();
    return false;
});
const buttons = [];
for (let i = 0; i < 8; i++)
    buttons.push(addRow(list));
Cothread.spawn(watch.bind(null, summary), {name: 'summary'});
if (ARGV.includes('--dashboard'))
    show();
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
