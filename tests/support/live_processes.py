"""Processes of this machine."""


def is_running(process):
    """Whether a process is there, and not only waiting to be buried."""
    try:
        with open("/proc/{}/stat".format(process)) as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
