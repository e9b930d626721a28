"""Terminal output: the status line and what is logged meanwhile, and times."""

import fcntl
import io
import logging
import os
import pty
import shutil
import struct
import termios

from albert.base.terminal import Part, StatusLine, fitted, table, time_text


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_lines_off_a_terminal_are_ten_seconds_apart_and_the_last_is_shown():
    stream = io.StringIO()
    line = StatusLine(stream)
    for now in range(0, 25):
        line.show(str(now), float(now), is_last=now == 24)
    line.close()
    assert stream.getvalue().split() == ["0", "10", "20", "24"]


def test_a_period_that_began_before_holds_the_first_line_back():
    stream = io.StringIO()
    line = StatusLine(stream, 100.0)
    for now in (101.0, 109.9, 110.0):
        line.show(str(now), now)
    assert stream.getvalue().split() == ["110.0"]


def test_a_shorter_text_covers_a_longer_one_on_a_terminal():
    stream = Terminal()
    line = StatusLine(stream)
    line.show("long text", 0.0)
    line.show("short", 0.1)
    line.close()
    line.close()
    assert stream.getvalue() == "\rlong text\rshort    \n"


def test_a_line_never_wraps(monkeypatch):
    # With whatever arguments: pytest asks for the size, too.
    monkeypatch.setattr(shutil, "get_terminal_size", lambda *_, **__: os.terminal_size((6, 24)))
    stream = Terminal()
    line = StatusLine(stream)
    line.show("1234567", 0.0)
    assert line.room == 5 and stream.getvalue() == "\r12345"
    assert StatusLine(io.StringIO()).room is None


def test_the_room_is_that_of_the_terminal_itself():
    leader, follower = pty.openpty()
    with os.fdopen(leader), os.fdopen(follower, "w") as stream:
        set_columns(follower, 80)
        line = StatusLine(stream)
        assert line.room == 79
        set_columns(follower, 50)
        assert line.room == 49


def set_columns(descriptor, columns):
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))


def test_the_least_important_parts_are_left_out_first():
    parts = [Part("first", 3), Part("second", 1), Part("third", 2)]
    assert [fitted(parts, room) for room in (None, 22, 13, 5, 1)] == [
        "first | second | third", "first | second | third", "first | third", "first", "first"
    ]  # fmt: skip


def test_what_is_logged_begins_on_a_line_of_its_own():
    stream = Terminal()
    handler = logging.StreamHandler(stream)
    logging.getLogger().addHandler(handler)
    try:
        with StatusLine(stream) as line:
            line.show("step 1", 0.0)
            logging.getLogger("any").warning("a warning")
            line.show("step 2", 0.1)
        logging.getLogger("any").warning("afterwards")
    finally:
        logging.getLogger().removeHandler(handler)
    assert stream.getvalue() == "\rstep 1\na warning\n\rstep 2\nafterwards\n"


def test_times_are_hours_minutes_and_whole_seconds():
    assert time_text(3599.9) == "0:59:59"
    assert time_text(36000.0) == "10:00:00"


def test_a_table_is_aligned_markdown():
    text = table(["name", "n"], [["a", "1"], ["longer", "1,000"]])
    assert text == "| name   |     n |\n| ------ | ----: |\n| a      |     1 |\n| longer | 1,000 |\n"
