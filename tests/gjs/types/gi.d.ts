// SPDX-License-Identifier: LGPL-2.1-or-later
// In place of what ts-for-gir makes of the GIRs, where it is not there: as much of
// them as use.ts and the demos touch.

declare module 'gi://GLib?version=2.0' {
    namespace GLib {
        enum IOCondition {IN, OUT}
    }
    export default GLib;
}
declare module 'gi://Gio?version=2.0' {
    namespace Gio {
        class Cancellable {
            cancel(): void;
        }
    }
    export default Gio;
}
declare module 'gi://GLib' {
    const GLib: any;
    export default GLib;
}
declare module 'gi://Gio' {
    const Gio: any;
    export default Gio;
}
declare module 'gi://Gtk?version=4.0' {
    const Gtk: any;
    export default Gtk;
}
declare module 'gi://Cothread?version=1.0' {
    export namespace Cothread {
        class Event {
            static ['new'](auto_reset: boolean): Event;
        }
        class Task {
            cancel(): void;
        }
        class Scheduler {
            static get_default(): Scheduler;
            list_tasks(): Task[];
            get_statistics(): Statistics;
        }
        class BusMonitor {
            static ['new'](scheduler: Scheduler | null): BusMonitor;
        }
        class Statistics {
            tasks: number;
            waiting: number;
        }
    }
    export default Cothread;
}

declare const ARGV: string[];
declare function print(...args: any[]): void;
declare function printerr(...args: any[]): void;
interface ImportMeta {
    url: string;
}
