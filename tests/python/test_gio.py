# SPDX-License-Identifier: LGPL-2.1-or-later
"""GIO's asynchronous functions as calls that look as if they blocked."""
import pytest

from gi.repository import Cothread, Gio, GLib


def test_a_file_is_read(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"0123456789" * 1000)

    def read():
        file = Gio.File.new_for_path(str(path))
        stream = Cothread.call_async(file.read_async, GLib.PRIORITY_DEFAULT)
        parts = []
        while True:
            part = Cothread.call_async(stream.read_bytes_async, 4096, GLib.PRIORITY_DEFAULT)
            if part.get_size() == 0:
                return b"".join(parts)
            parts.append(part.get_data())

    assert Cothread.spawn(read).wait() == path.read_bytes()
    assert read() == path.read_bytes()  # main waits as well


def test_errors_are_glib_errors():
    def load():
        file = Gio.File.new_for_path("/nonexistent/file")
        with pytest.raises(GLib.Error) as caught:
            Cothread.call_async(file.load_contents_async)
        assert caught.value.matches(Gio.io_error_quark(), Gio.IOErrorEnum.NOT_FOUND)

    Cothread.spawn(load).wait()


def test_a_cancelled_task_cancels_the_operation():
    listener = Gio.SocketListener()
    listener.add_any_inet_port(None)
    seen = []

    def accept():
        try:
            Cothread.call_async(listener.accept_async)
        finally:
            seen.append("unwound")

    task = Cothread.spawn(accept)
    Cothread.sleep(0.01)
    task.cancel()
    with pytest.raises(Cothread.Cancelled):
        task.wait()
    assert seen == ["unwound"]
    with pytest.raises(Cothread.TimedOut):
        with Cothread.timeout(0.01):
            Cothread.call_async(listener.accept_async)
    # Nobody listens in vain: the operation is over, and the next is accepted.
    with pytest.raises(Cothread.TimedOut):
        with Cothread.timeout(0.05):
            Cothread.call_async(listener.accept_async)
    listener.close()


def test_an_own_cancellable_cancels_the_operation_only():
    listener = Gio.SocketListener()
    listener.add_any_inet_port(None)
    cancellable = Gio.Cancellable()

    def accept():
        with pytest.raises(GLib.Error) as caught:
            Cothread.call_async(listener.accept_async, cancellable)
        assert caught.value.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED)
        return "went on"

    task = Cothread.spawn(accept)
    Cothread.sleep(0.01)
    cancellable.cancel()
    assert task.wait() == "went on"
    listener.close()


def test_sockets_talk_over_loopback():
    service = Gio.SocketListener()
    port = service.add_any_inet_port(None)

    def serve():
        connection, _ = Cothread.call_async(service.accept_async)
        data = Cothread.call_async(connection.get_input_stream().read_bytes_async, 100, 0)
        Cothread.call_async(connection.get_output_stream().write_bytes_async, GLib.Bytes(data.get_data().upper()), 0)
        Cothread.call_async(connection.close_async, 0)

    def ask():
        connection = Cothread.call_async(Gio.SocketClient().connect_to_host_async, "127.0.0.1", port)
        Cothread.call_async(connection.get_output_stream().write_bytes_async, GLib.Bytes(b"hello"), 0)
        return Cothread.call_async(connection.get_input_stream().read_bytes_async, 100, 0).get_data()

    server = Cothread.spawn(serve)
    assert Cothread.spawn(ask).wait() == b"HELLO"
    server.wait()
    service.close()


def test_a_finish_function_can_be_given():
    process = Gio.Subprocess.new(["/bin/echo", "hello"], Gio.SubprocessFlags.STDOUT_PIPE)
    assert Cothread.call_async(process.communicate_utf8_async, None) == (True, "hello\n", None)
    process = Gio.Subprocess.new(["/bin/echo", "hello"], Gio.SubprocessFlags.STDOUT_PIPE)
    assert Cothread.call_async(process.communicate_utf8_async, None, finish=process.communicate_utf8_finish)[1] == "hello\n"
