# SPDX-License-Identifier: LGPL-2.1-or-later
"""A device in the manner of a control system: a thread reads it, monitors tell others, a timer watches it."""
import threading
import time

import cothread


class Device:
    def __init__(self):
        self.value = None
        self.changed = cothread.Pulse()
        self.watchdog = cothread.Timer(30, self.lost, reuse=True)
        self.lock = cothread.RLock()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for value in range(5):
            time.sleep(0.01)
            # As every driver with threads of its own does it.
            assert cothread.CallbackResult(self.update, value, callback_timeout=60) == value
        cothread.Callback(cothread.Quit)

    def update(self, value):
        with self.lock:
            self.value = value
            self.watchdog.reset(30)
        self.changed.Signal()
        return value

    def lost(self):
        print("lost")

    def monitor(self, callback):
        @cothread.Spawn
        def watch():
            while True:
                self.changed.Wait()
                callback(self.value)


device = Device()
values = []
device.monitor(values.append)
cothread.WaitForQuit()
cothread.Sleep(0)
print(values)
try:
    device.changed.Wait(0.01)
except cothread.Timedout:
    print("silent")
