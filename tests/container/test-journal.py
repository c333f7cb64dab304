#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the journal has of lfad, and what journalctl says to it from the installed catalog."""


import container


class JournalTest(container.TestCase):
    def explained(self):
        self.box.run("journalctl", "--sync")
        return self.box.run("journalctl", "--catalog", "--no-pager", "--unit=lfad").stdout

    def test_journalctl_explains_what_happened(self):
        self.assertIn("Subject: lfad answers", self.explained())
        self.box.stage("rmm", "2.0")
        self.box.sim("fail activate AUTH_ERROR --times=1")
        self.box.lfactl("activate", "rmm", check=False)
        record = self.box.history("finished")[-1]
        self.assertEqual(record["result"], "failed")
        entries = [entry for entry in self.box.journal("--unit=lfad") if entry.get("LFA_RESULT") == "failed"]
        self.assertEqual(len(entries), 1)
        self.assertEqual((entries[0]["LFA_JOB"], entries[0]["LFA_GUID"]), (str(record["job"]), container.GUIDS["rmm"]))
        self.assertIn(f"MESSAGE_ID={entries[0]['MESSAGE_ID']}", self.box.run(
            "journalctl", "--output=export", f"MESSAGE_ID={entries[0]['MESSAGE_ID']}").stdout)
        text = self.explained()
        after = text[text.index(entries[0]["MESSAGE"]):]
        self.assertRegex(after.split("\n")[1], r"Subject: .")
        self.assertNotRegex(after, r"@LFA_\w+@")


container.main()
