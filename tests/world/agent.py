# SPDX-License-Identifier: LGPL-2.1-or-later
"""A polkit authentication agent for tests: what a person at a password prompt would do, without PAM.

The real polkitd asks it, and believes its AuthenticationAgentResponse2 because it comes from root.
"""

import collections

import dbus
import dbus.service
from gi.repository import GLib

AUTHORITY = ("org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority",
             "org.freedesktop.PolicyKit1.Authority")
AGENT_INTERFACE = "org.freedesktop.PolicyKit1.AuthenticationAgent"
MODES = ("ok", "cancel", "fail", "hang")

Prompt = collections.namedtuple("Prompt", "action message details")


class Agent(dbus.service.Object):
    """Answers every prompt as its mode says: ok, cancel (the person dismisses it), fail (a wrong password), hang
    (nobody answers until answer() is called). prompts lists what was shown. on_prompt, if given, is called with
    each Prompt before it is answered, from the main loop and free to use the world."""

    PATH = "/org/arm/LFA1/test/agent"

    def __init__(self, bus, mode, on_prompt=None):
        if mode not in MODES:
            raise ValueError(f"an agent's mode is one of {', '.join(MODES)}")
        super().__init__(bus, self.PATH)
        self.bus = bus
        self.mode = mode
        self.on_prompt = on_prompt
        self.prompts = []
        self.cancelled = []
        self._open = []
        self._subjects = []
        self._authority = dbus.Interface(bus.get_object(*AUTHORITY[:2]), AUTHORITY[2])

    def register(self, pid):
        """From now on polkitd asks this agent when that process wants something."""
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            start_time = int(file.read().rsplit(")", 1)[1].split()[19])
        subject = dbus.Struct(("unix-process", {"pid": dbus.UInt32(pid), "start-time": dbus.UInt64(start_time)}),
                              signature="sa{sv}")
        self._authority.RegisterAuthenticationAgent(subject, "C", self.PATH)
        self._subjects.append(subject)

    def answer(self, mode):
        """Answers all prompts that hang."""
        for cookie, identity, reply, error in self._open:
            self._answer(mode, cookie, identity, reply, error)
        self._open.clear()

    def close(self):
        self.answer("cancel")
        for subject in self._subjects:
            try:
                self._authority.UnregisterAuthenticationAgent(subject, self.PATH)
            except dbus.DBusException:
                pass  # the process has ended, and polkitd has forgotten its agent, or polkitd is gone itself
        self.remove_from_connection()
        self.bus.close()

    def _answer(self, mode, cookie, identity, reply, error):
        if mode == "ok":
            self._authority.AuthenticationAgentResponse2(dbus.UInt32(0), cookie, identity, reply_handler=reply,
                                                         error_handler=error)
        elif mode == "cancel":
            error(dbus.DBusException("dismissed", name="org.freedesktop.PolicyKit1.Error.Cancelled"))
        elif mode == "fail":
            reply()

    @dbus.service.method(AGENT_INTERFACE, in_signature="sssa{ss}sa(sa{sv})", async_callbacks=("reply", "error"))
    def BeginAuthentication(self, action, message, icon, details, cookie, identities, reply, error):
        prompt = Prompt(str(action), str(message), {str(key): str(value) for key, value in details.items()})

        def handle():
            self.prompts.append(prompt)
            if self.on_prompt:
                self.on_prompt(prompt)
            if self.mode == "hang":
                self._open.append((cookie, identities[0], reply, error))
            else:
                self._answer(self.mode, cookie, identities[0], reply, error)
            return False

        GLib.idle_add(handle)

    @dbus.service.method(AGENT_INTERFACE, in_signature="s")
    def CancelAuthentication(self, cookie):
        self.cancelled.append(str(cookie))
