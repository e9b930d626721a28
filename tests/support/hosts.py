"""Hosts of a network of their own on this machine: network namespaces, joined by a bridge. Needs root on Linux."""

import atexit
import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import threading
import time

_CLONE_NEWNET = 0x40000000
_START = 'hostname "$0" && mount --bind "$1" /etc/hosts && shift && exec "$@"'


def why_not():
    """Why no hosts can be made here; an empty text where they can."""
    if os.name != "posix" or os.geteuid() != 0:
        return "network namespaces need root"
    for program in ("ip", "unshare", "mount"):
        if not shutil.which(program):
            return "there is no program `{}`".format(program)
    try:
        with Network(["a"]):
            return ""
    except subprocess.CalledProcessError as error:
        return "no network namespace can be made ({})".format(error.output.decode("utf-8", "replace").strip())


def _ip(*words):
    return subprocess.run(["ip", *words], check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout.decode()


class Network:
    """Hosts by their names, with addresses 10.77.0.1, …; a context manager that ends all that runs on them."""

    def __init__(self, names):
        self._prefix = "albert-{}-{}-".format(os.getpid(), id(self) % 9973)
        self._switch = self._prefix + "switch"
        self._made = []
        self.hosts = {name: Host(self, name, number) for number, name in enumerate(names, start=1)}

    def __enter__(self):
        atexit.register(self.close)
        try:
            self._add(self._switch)
            _ip("-n", self._switch, "link", "add", "bridge", "type", "bridge")
            _ip("-n", self._switch, "link", "set", "bridge", "up")
            for host in self.hosts.values():
                self._join(host)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *error):
        self.close()

    def _add(self, namespace):
        _ip("netns", "add", namespace)
        self._made.append(namespace)

    def _join(self, host):
        self._add(host.namespace)
        _ip("-n", host.namespace, "link", "set", "lo", "up")
        link = ["link", "add", "eth0", "netns", host.namespace, "type", "veth"]
        _ip(*link, "peer", "name", host.port, "netns", self._switch)
        _ip("-n", host.namespace, "addr", "add", host.address + "/24", "dev", "eth0")
        _ip("-n", host.namespace, "link", "set", "eth0", "up")
        _ip("-n", self._switch, "link", "set", host.port, "up")
        self.connect(host)

    def connect(self, host):
        _ip("-n", self._switch, "link", "set", host.port, "master", "bridge")

    def disconnect(self, host):
        _ip("-n", self._switch, "link", "set", host.port, "nomaster")

    def hosts_file(self):
        """The path of what stands in /etc/hosts of every host."""
        path = "/tmp/{}hosts".format(self._prefix)
        with open(path, "w") as file:
            file.write("127.0.0.1 localhost\n")
            file.write("".join("{} {}\n".format(host.address, host.name) for host in self.hosts.values()))
        return path

    def namespace(self, name):
        return self._prefix + name

    def close(self):
        atexit.unregister(self.close)
        for host in self.hosts.values():
            if host.namespace in self._made:
                host.kill()
        while self._made:
            with contextlib.suppress(subprocess.CalledProcessError):
                _ip("netns", "del", self._made.pop())
        with contextlib.suppress(FileNotFoundError):
            os.remove("/tmp/{}hosts".format(self._prefix))


class Host:
    """Host of a network."""

    def __init__(self, network, name, number):
        self._network = network
        self.name = name
        self.address = "10.77.0.{}".format(number)
        self.namespace = network.namespace(name)
        self.port = "port{}".format(number)

    def start(self, words, log, before="", **environment):
        """Starts a program, with its output in a file; `before` is shell text, in which this host can mount folders."""
        shell = _START if not before else _START.replace("shift", before + " && shift")
        started = ["ip", "netns", "exec", self.namespace, "unshare", "--uts", "sh", "-c", shell, self.name]
        with open(str(log), "ab") as file:
            return subprocess.Popen(
                started + [self._network.hosts_file(), *map(str, words)],
                stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, env=dict(os.environ, **environment),
            )  # fmt: skip

    def processes(self):
        """The numbers of all processes that run on it."""
        return [int(word) for word in _ip("netns", "pids", self.namespace).split()]

    def _signal(self, number):
        for process in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)

    def kill(self):
        """Ends all that runs on it, as a power cut does."""
        while self.processes():
            self._signal(signal.SIGKILL)
            time.sleep(0.05)

    @contextlib.contextmanager
    def cut_off(self):
        """Takes it off the network; all that runs on it goes on."""
        self._network.disconnect(self)
        try:
            yield
        finally:
            self._network.connect(self)

    @contextlib.contextmanager
    def slowed(self, times):
        """Lets it run for one part in `times` of the time."""
        ended = threading.Event()

        def stop_and_go():
            while not ended.is_set():
                self._signal(signal.SIGSTOP)
                time.sleep(0.1 * (times - 1))
                self._signal(signal.SIGCONT)
                time.sleep(0.1)

        thread = threading.Thread(target=stop_and_go)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def move_to(namespace):
    """Moves this process, which must have one thread, to a host."""
    file = os.open(os.path.join("/run/netns", namespace), os.O_RDONLY)
    library = ctypes.CDLL(None, use_errno=True)
    if library.setns(file, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
    os.close(file)
