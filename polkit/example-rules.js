// SPDX-License-Identifier: LGPL-2.1-or-later
// An example of a site's rules for lfad: what a fleet agent may do without a password. See org.arm.LFA1(5), ACCESS.
// To use it: adapt it, and copy it to /etc/polkit-1/rules.d/. Whatever it does not decide is decided as always.

polkit.addRule(function (action, subject) {
    // The user that the agent runs as.
    if (subject.user !== "fleet-agent")
        return polkit.Result.NOT_HANDLED;

    // Images by GUID, as /sys/firmware/lfa/ names them; a name is no identity.
    var images = [
        "6c0762a6-12f2-4b56-92cb-ba8f633606d9" // Realm Management Monitor
    ];

    if (action.id === "org.arm.LFA1.activate") {
        if (images.indexOf(action.lookup("guid")) < 0)
            return polkit.Result.NO;
        // "no" is proof; "unknown" is firmware that gives no versions, and here that is not enough.
        return action.lookup("downgrade") === "no" ? polkit.Result.YES : polkit.Result.NO;
    }
    if (action.id === "org.arm.LFA1.cancel" || action.id === "org.arm.LFA1.configure")
        return polkit.Result.NO;
    return polkit.Result.NOT_HANDLED;
});
