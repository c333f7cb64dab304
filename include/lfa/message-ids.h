/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The one table of what matters to an operator, as the journal has it: each kind of event is an entry with a MESSAGE_ID=
 * of its own, which systemd/lfad.catalog explains and lfad(8), JOURNAL, lists. An id never changes its meaning.
 *
 * LFA_MESSAGE_TABLE(X) expands X(symbol, "name", level, "id") for each; level: LOG_<level> of syslog(3). */

#define LFA_MESSAGE_TABLE(X)                                                                                         \
        /* recovery and the first reading are over: lfad answers */                                                  \
        X(READY, "ready", INFO, "d85b0ff2ade24bbc90afe0680a449e49")                                                  \
        /* lfad was told to end */                                                                                   \
        X(STOPPING, "stopping", INFO, "f203f0ed083c4382b625bb5c9f81c753")                                            \
        /* the connection to the bus broke: lfad ends and is started again */                                        \
        X(BUS_LOST, "bus-lost", ERR, "cabde65b2ad3437b9de732406ba4d38a")                                             \
        /* the configuration was read again and is in force */                                                       \
        X(CONFIG_LOADED, "config-loaded", INFO, "b5c09271351148c7834612e4cecab0d5")                                  \
        /* the configuration has errors: what was in force stays, at start the defaults, and nothing is activated */ \
        X(CONFIG_REJECTED, "config-rejected", ERR, "3bed19342f1d4d35a49ddbb06a826c2d")                               \
        /* the kernel driver came, went, or is taken for another version */                                          \
        X(DRIVER_CHANGED, "driver-changed", NOTICE, "a5a5b289ca0144bda419313736decf73")                              \
        /* the driver's tree was not read in time, or not at all */                                                  \
        X(DRIVER_UNREADABLE, "driver-unreadable", WARNING, "f908ef7c88ad48e2bf32420281c7d1d9")                       \
        /* no uevents arrive: changes are found by the poll alone */                                                 \
        X(MONITOR_DEAF, "monitor-deaf", WARNING, "775d7bf355e544dda3191b133db87e75")                                 \
        /* the driver shows an image that it did not show before; also at start */                                   \
        X(IMAGE_APPEARED, "image-appeared", INFO, "ad4280123db8434d91860e3eb6e1b1ee")                                \
        /* an image was dropped by firmware */                                                                       \
        X(IMAGE_VANISHED, "image-vanished", NOTICE, "ba6eaecaa66a4fa6ba18409cd8361640")                              \
        /* an image vanished from a driver that is known to lose them */                                             \
        X(IMAGE_LOST, "image-lost", WARNING, "be8a13c3669f4f85b0fd1a94aceef3a4")                                     \
        /* new firmware waits for its activation */                                                                  \
        X(IMAGE_PENDING, "image-pending", NOTICE, "a6929e0c940445428541b53a8f0f653a")                                \
        /* what was pending is not any more, and no activation of lfad's did it */                                   \
        X(IMAGE_NOT_PENDING, "image-not-pending", NOTICE, "eb27b7216f564f438b4859780b137eea")                        \
        /* another version runs, and no activation of lfad's did it */                                               \
        X(VERSION_CHANGED, "version-changed", NOTICE, "f4e8639061384bc88c0565853b52eda8")                            \
        /* the kernel's own automatic activation of an image was on and is switched off */                           \
        X(AUTO_ACTIVATE_OFF, "auto-activate-off", NOTICE, "d635c5fb39394508b2fa08708ba13dee")                        \
        /* another setting of the driver was not as the configuration wants it, and is now */                        \
        X(SETTING_APPLIED, "setting-applied", NOTICE, "ddb12adec33a4b29b383fcaabcfe8748")                            \
        /* a setting of the driver cannot be made as it must be: the image is not activated */                       \
        X(SETTING_FAILED, "setting-failed", WARNING, "27909a368c084f789a9f6e5eac337113")                             \
        /* the kernel activates by itself, and the configuration has that left alone */                              \
        X(AUTO_ACTIVATE_LEFT, "auto-activate-left", WARNING, "31681d30e85b47718adbf98849395b52")                     \
        /* this version of the driver activates by itself, and nothing can stop it */                                \
        X(KERNEL_ACTIVATES, "kernel-activates", WARNING, "26b61740f3774c5da76acaf5e4dee9bb")                         \
        /* uevents come in a storm: the kernel may be activating without end */                                      \
        X(EVENT_STORM, "event-storm", WARNING, "85a8de38aca74ca199cede81aa654fd9")                                   \
        /* no more of them came */                                                                                   \
        X(EVENT_STORM_OVER, "event-storm-over", NOTICE, "2decd57156d74fcabc639ba6c2509fd9")                          \
        /* a call was refused, so that there is no job; only some are logged where many come */                      \
        X(CALL_REFUSED, "call-refused", INFO, "73985417a2be4c7fab0a90b94a1987cb")                                    \
        /* a call was refused since polkit could not be asked */                                                     \
        X(POLKIT_UNAVAILABLE, "polkit-unavailable", WARNING, "e1f7a27dcbad4380b8c090e36f48bd0a")                     \
        /* somebody asked for an activation, and it is on disk */                                                    \
        X(JOB_QUEUED, "job-queued", INFO, "4d4ac3df610f433a9fb28e434f0c4344")                                        \
        /* a gate defers a job, which waits */                                                                       \
        X(JOB_WAITING, "job-waiting", INFO, "069b9687eeec441fa84c896b1e5b26bc")                                      \
        /* the write to the driver begins */                                                                         \
        X(JOB_STARTED, "job-started", NOTICE, "38e1202ddd75421dbb832b7ce361f52c")                                    \
        /* the kernel has not returned from it after a minute, and another one, ... */                               \
        X(WRITE_LONG, "write-long", WARNING, "6969bb6a227a4fad8250f94c938d9810")                                     \
        /* somebody wants a job cancelled */                                                                         \
        X(JOB_CANCEL_ASKED, "job-cancel-asked", INFO, "301410f929e5473988a34914a0cfbe6e")                            \
        /* a person passed over gates that would have refused */                                                     \
        X(GATE_OVERRIDDEN, "gate-overridden", NOTICE, "d27f9865621f45e2a071a268dd1a131e")                            \
        /* each way in which a job ends, as enum JobResult has them */                                               \
        X(JOB_SUCCEEDED, "job-succeeded", NOTICE, "f8a58c752a0d413eb85c15e97948ec25")                                \
        X(JOB_UNVERIFIED, "job-unverified", NOTICE, "f54a888f21dd4cee9057411c88b8976a")                              \
        X(JOB_FAILED, "job-failed", WARNING, "4a4c60bf50a8437da98fec5306db4877")                                     \
        X(JOB_CANCELLED, "job-cancelled", NOTICE, "b91578fb9e9b4929b5b339585c09d0d6")                                \
        X(JOB_REFUSED, "job-refused", WARNING, "1c0f44c2290d445a97070198a60dde81")                                   \
        X(JOB_UNKNOWN, "job-unknown", ERR, "b5b2084a3b3f4d6d89da2f78912705dc")                                       \
        /* a later reading told what a job came to that had ended unknown or unverified */                           \
        X(JOB_SETTLED, "job-settled", NOTICE, "c43cd42024624a89857d5f7f23da7e84")                                    \
        /* a window closed during an activation that had begun in it */                                              \
        X(WINDOW_OUTLASTED, "window-outlasted", NOTICE, "540b168f973f4ebeb66778bf0ca65551")                          \
        /* a worker that an earlier lfad started still runs */                                                       \
        X(WORKER_FOLLOWED, "worker-followed", WARNING, "313a91482e2341d79be043e86b1b05fa")                           \
        /* the helper program cannot be started */                                                                   \
        X(WORKER_FAILED, "worker-failed", ERR, "0001dbbcda074e72b8947f359c6f6695")                                   \
        /* somebody paused activations */                                                                            \
        X(HOLD_SET, "hold-set", NOTICE, "f888e7e407e04b9da728ec969a0c4886")                                          \
        /* a pause was ended before its time */                                                                      \
        X(HOLD_RELEASED, "hold-released", NOTICE, "1ec1c25b5c7d40b8ad9a3780d98897b6")                                \
        /* the time of a pause is over */                                                                            \
        X(HOLD_EXPIRED, "hold-expired", NOTICE, "5e1c9260a01e46a6892604c210550f31")                                  \
        /* it is not, since the clock was set back */                                                                \
        X(HOLD_AGAIN, "hold-again", NOTICE, "30cd8b4e914347049803faa1da1c88af")                                      \
        /* lfad starts, and everything is paused */                                                                  \
        X(HOLD_STANDS, "hold-stands", WARNING, "5bef26786c744fa5b752f51e0fa3b35c")                                   \
        /* lfad pauses everything by itself: the host restarted during an activation */                              \
        X(SELF_HOLD, "self-hold", ERR, "c73bdca53af7408988969c1fd418cd09")                                           \
        /* a version went wrong too often */                                                                         \
        X(QUARANTINE_SET, "quarantine-set", WARNING, "f76e6e5646eb4cfa945d6f89f0db9415")                             \
        /* what went wrong with a version does not count any more */                                                 \
        X(QUARANTINE_LIFTED, "quarantine-lifted", NOTICE, "9425cfaa9f8348e68ca2cab3b464f5e8")                        \
        /* automatic mode is on and never activates anything */                                                      \
        X(AUTOMATIC_WITHOUT_WINDOW, "automatic-without-window", WARNING,                                             \
          "af94d3d3201143498074d33d35cd2d89")                                                                        \
        /* the host's time zone, by which windows go, is another one */                                              \
        X(ZONE_CHANGED, "zone-changed", NOTICE, "a2470ae236194f5c8ef8f37056edf014")                                  \
        /* a program holds activations back, or wants to be waited for */                                            \
        X(INHIBITOR_TAKEN, "inhibitor-taken", INFO, "992920a57e32418fba8441aee0bd3106")                              \
        /* it does not any more */                                                                                   \
        X(INHIBITOR_RELEASED, "inhibitor-released", INFO, "5e495499081c4fa3ba95b1f030aa473f")                        \
        /* those who asked for time had none left: the activation goes on without them */                            \
        X(DELAY_OVER, "delay-over", NOTICE, "7035ae3902af404584df214f9099364f")                                      \
        /* systemd's watchdog is given a longer time-out for an activation */                                        \
        X(WATCHDOG_RAISED, "watchdog-raised", INFO, "8a3ec55485264f5888df6534357a2dd5")                              \
        /* it has the old one again */                                                                               \
        X(WATCHDOG_RESTORED, "watchdog-restored", INFO, "50c48a65bc2f422aa73da22cc816c8ca")                          \
        /* it could not be given the old one */                                                                      \
        X(WATCHDOG_NOT_RESTORED, "watchdog-not-restored", WARNING, "c84dc52ee07b4953acfe4e88698cf7fe")               \
        /* a watchdog forbids an activation */                                                                       \
        X(WATCHDOG_UNSAFE, "watchdog-unsafe", WARNING, "382df77a96a847c8ac2249beb99d2db7")                           \
        /* the watchdogs cannot be read */                                                                           \
        X(WATCHDOG_UNREADABLE, "watchdog-unreadable", WARNING, "448754f1dbc74300803e3ec0416eaf8f")                   \
        /* the history cannot be opened: nothing is activated */                                                     \
        X(HISTORY_UNUSABLE, "history-unusable", ERR, "79a5458c489945e9bcd846359aedf194")                             \
        /* something that happened could not be put on disk */                                                       \
        X(RECORD_FAILED, "record-failed", ERR, "35aabf05881246909ce9f51796a0cbab")                                   \
        /* what could not be recorded is on disk now */                                                              \
        X(HISTORY_USABLE, "history-usable", NOTICE, "eeba8cbe421e4cd09ae0a1c6abaff804")                              \
        /* state.json cannot be read or written: nothing is activated */                                             \
        X(STATE_UNUSABLE, "state-unusable", ERR, "1ef7407409b94adf9cd23645b73ca677")                                 \
        /* it can be again */                                                                                        \
        X(STATE_USABLE, "state-usable", NOTICE, "d2b3a8979b364b5285f7759a345a24a7")

/* MessageId: LFA_MESSAGE_NONE = 0, then one value a row. */
#define LFA_MESSAGE_ENUM_ROW_(symbol, name, level, id) LFA_MESSAGE_##symbol,
typedef enum MessageId {
        LFA_MESSAGE_NONE,
        LFA_MESSAGE_TABLE(LFA_MESSAGE_ENUM_ROW_) _LFA_MESSAGE_MAX,
} MessageId;
