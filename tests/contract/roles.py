"""Roles that tests have forked. Standard library only: they are loaded by path, as roles of an environment are."""

import os
import signal
import subprocess
import sys
import threading
import time


def succeed(channel, arguments):
    print("hello from", channel.role)


def exit_with(channel, arguments):
    print("last words")
    return arguments["code"]


def fail(channel, arguments):
    raise ValueError("the task's own error")


def sleep(channel, arguments):
    channel.publish("pid", os.getpid())
    time.sleep(1000)


def stay(channel, arguments):
    """Ignore SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    channel.publish("pid", os.getpid())
    while True:
        time.sleep(1000)


def tell_term(channel, arguments):
    """End by itself when asked to."""

    def end(signum, frame):
        print("asked to end")
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    channel.publish("pid", os.getpid())
    time.sleep(1000)


def scheduler(channel, arguments):
    channel.publish("scheduler_address", "tcp://127.0.0.1:1")
    channel.publish("scheduler_pid", os.getpid())
    time.sleep(1000)


def count(channel, arguments):
    """Be a scheduler that says its last figures when the group ends."""
    channel.publish("scheduler_address", "tcp://127.0.0.1:1")
    channel.publish("progress", 1)
    channel.wait("ending", 30)
    channel.publish("progress", 2)
    channel.publish("counted")
    time.sleep(1000)


def shut_down(channel, arguments):
    """Be a scheduler that its driver ends."""
    channel.publish("scheduler_address", "tcp://127.0.0.1:1")
    channel.wait("shut_down", 30)


def shut_cluster_down(channel, arguments):
    channel.wait("worker-0_pid", 30)
    channel.publish("shut_down")
    while not os.path.exists("go"):
        time.sleep(0.01)


def worker(channel, arguments):
    print("restarted", channel.restarted, channel.wait("scheduler_address", 10))
    channel.publish(f"{channel.role}_pid", os.getpid())
    channel.publish("ready")
    time.sleep(1000)


def scale(channel, arguments):
    """Be a scheduler that wants, one after the other, the roles that are named in files which a test makes."""
    channel.publish("scheduler_address", "tcp://127.0.0.1:1")
    number = 0
    while True:
        if os.path.exists(f"wanted-{number}"):
            with open(f"wanted-{number}") as file:
                channel.publish("wanted_roles", file.read().split())
            number += 1
        time.sleep(0.01)


def driver(channel, arguments):
    print(os.environ["SCHEDULER"], channel.facts["quorum"])
    for number in range(arguments.get("rounds", 0)):
        channel.publish("progress", number)
    if arguments.get("stay"):
        channel.publish("driver_pid", os.getpid())
        time.sleep(1000)


def bomb(channel, arguments):
    held = []
    while True:
        held.append(b"x" * 8 * 1024 * 1024)
        time.sleep(0.005)


def bomb_in_child(channel, arguments):
    if channel.restarted:
        channel.publish("again", channel.restarted)
        time.sleep(1000)
    if os.fork() == 0:
        bomb(channel, arguments)
    time.sleep(1000)


def daemonize(channel, arguments):
    """Leave a daemon of a daemon behind, with a session of its own, and a listening port."""
    code = (
        "import os, socket, sys, time\n"
        "os.setsid()\n"
        "if os.fork(): os._exit(0)\n"
        "listening = socket.create_server(('127.0.0.1', 0))\n"
        "print(os.getpid(), listening.getsockname()[1], flush=True)\n"
        "os.chdir('/')\n"
        "time.sleep(1000)\n"
    )
    started = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    pid, port = started.stdout.readline().split()
    forked = os.fork()
    if forked == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        os.chdir("/")
        time.sleep(1000)
    os.waitpid(forked, 0)
    channel.publish("daemon", [int(pid), int(port)])
    if arguments.get("stay"):
        channel.publish("pid", os.getpid())
        time.sleep(1000)


def leave_threads(channel, arguments):
    """What an interpreter does at its end: wait for threads, run exit handlers, flush."""
    import atexit

    atexit.register(lambda: print("exit handler"))

    def late():
        time.sleep(0.05)
        print("late thread")

    threading.Thread(target=late).start()
    sys.stdout.reconfigure(line_buffering=False)
    sys.stdout.write("unflushed\n")


def show_modules(channel, arguments):
    for name in arguments["asked"]:
        print(name, name in sys.modules)


def show(channel, arguments):
    """Print what a process finds around it."""
    import random
    import tempfile

    print("cwd", os.getcwd())
    print("stdin", sys.stdin.read() == "")
    print("group", os.getpgrp() == os.getpid())
    print("tmp", tempfile.gettempdir())
    print("term", signal.getsignal(signal.SIGTERM) == signal.SIG_DFL, signal.pthread_sigmask(signal.SIG_BLOCK, ()))
    print("fds", sorted(int(fd) for fd in os.listdir("/proc/self/fd")))
    print("random", random.random())
    print("env", os.environ.get("MINE"), os.environ["DAYFLY_GROUP"], os.environ["PATH"].split(":")[0])


def heed(channel, arguments):
    """Be a worker that may stand by, and says whose it is."""
    channel.publish(f"{channel.role}_pid", os.getpid())
    channel.publish("ready")
    if arguments.get("standing"):
        told = channel.wait("taken_over", 1000)
        os.environ.update(told["env"])
        arguments = told["arguments"]
        channel.publish("taken")
    print(channel.role, "of", os.environ.get("WHOSE"), arguments["number"])
    time.sleep(1000)


def look_around(channel, arguments):
    """Say what lies here, leave something behind, and stay if asked to."""
    print("found", *sorted(os.listdir(".")))
    with open("left", "w") as file:
        file.write(os.environ["WHOSE"])
    print("at", os.getcwd())
    if arguments.get("stay"):
        channel.publish("driver_pid", os.getpid())
        time.sleep(1000)
