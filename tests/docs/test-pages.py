#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The manual pages are well-formed: rst2man and groff have nothing to say about them, what they refer to exists, and
each has the sections that a page has."""

import os
import re
import shutil
import subprocess
import unittest

import docs

RST2MAN = shutil.which("rst2man", path="/usr/bin") or shutil.which("rst2man.py", path="/usr/bin")
# Pages of others, with their sections: of Debian 12 (man-db knows them where they are installed).
FOREIGN = {"busctl(1)", "flock(2)", "gdbus(1)", "journalctl(1)", "machine-id(5)", "org.freedesktop.LogControl1(5)",
           "polkit(8)", "sd-bus(3)", "sd_notify(3)", "systemctl(1)", "systemd-system.conf(5)", "systemd.exec(5)",
           "systemd.service(5)", "systemd.time(7)", "systemd.timer(5)", "timedatectl(1)"}
OWN = {re.sub(r"\.(\d)$", r"(\1)", name) for name in docs.PAGES}
REFERENCE = re.compile(r"\*\*([\w.-]+)\*\*\\?\s*\((\d)\)")


def rst2man_complaints(source):
    done = subprocess.run(["/usr/bin/python3", "-B", RST2MAN, "--syntax-highlight=none", "--halt=warning",
                           "--no-generator", "--no-datestamp"], input=source, text=True, encoding="utf-8",
                          capture_output=True, check=False, cwd=os.path.join(docs.SOURCE_DIR, "man"))
    return done.stdout, done.stderr if done.returncode or done.stderr else ""


def groff_complaints(page):
    done = subprocess.run(["groff", "-Kutf8", "-Tutf8", "-man", "-ww", "-z"], input=page, text=True, encoding="utf-8",
                          capture_output=True, check=False)
    return done.stderr or ("groff failed" if done.returncode else "")


def dangling_references(source):
    found = {f"{name}({section})" for name, section in REFERENCE.findall(source)}
    return found - OWN - FOREIGN


def see_also(source):
    """References below SEE ALSO, in order."""
    text = source.split("\nSEE ALSO\n")[1]
    return [f"{name}({section})" for name, section in REFERENCE.findall(text)]


class PagesTest(unittest.TestCase):
    @staticmethod
    def each():
        return [(name, docs.read("man", name + ".rst")) for name in docs.PAGES]

    def test_rst2man_and_groff_have_nothing_to_say(self):
        for _, source in self.each():
            page, complaints = rst2man_complaints(source)
            self.assertEqual((complaints, groff_complaints(page)), ("", ""))

    def test_what_meson_built_is_what_is_written(self):
        for name, source in self.each():
            with open(os.path.join(docs.BUILD_DIR, "man", name), encoding="utf-8") as file:
                self.assertEqual(file.read(), rst2man_complaints(source)[0])

    def test_references_lead_somewhere(self):
        for name, source in self.each():
            self.assertEqual(dangling_references(source), set())
            others = see_also(source)
            self.assertEqual(len(others), len(set(others)))
            self.assertNotIn(re.sub(r"\.(\d)$", r"(\1)", name), others)

    def test_whom_a_page_refers_to_is_in_see_also(self):
        for name, source in self.each():
            own = re.sub(r"\.(\d)$", r"(\1)", name)
            found = {f"{page}({section})" for page, section in REFERENCE.findall(source)}
            self.assertEqual(found - {own}, set(see_also(source)))

    def test_every_page_of_the_folder_is_built_and_tested(self):
        pages = {path.removeprefix("man/").removesuffix(".rst") for path in docs.source_files("man", ".rst")}
        self.assertEqual(pages, set(docs.PAGES))
        listed = re.search(r"foreach page : \[(.*?)\]", docs.read("man/meson.build"), re.DOTALL).group(1)
        self.assertEqual(pages, set(re.findall(r"'([^']+)'", listed)))

    def test_headers_name_page_and_section(self):
        for name, source in self.each():
            title, section = name.rsplit(".", 1)
            page = rst2man_complaints(source)[0]
            self.assertRegex(page, rf'(?im)^\.TH "?{re.escape(title)}"? "?{section}"?')
            self.assertIn(".SH NAME", page)

    def test_lines_fit(self):
        for _, source in self.each():
            lines = [line for line in source.split("\n") if not line.startswith("``")]  # a term cannot be broken
            self.assertEqual([line for line in lines if len(line) > 120 or line != line.rstrip()], [])

    def test_files_begin_with_licence_and_title(self):
        for _, source in self.each():
            lines = source.split("\n")
            self.assertEqual(lines[0], ".. SPDX-License-Identifier: LGPL-2.1-or-later")
            self.assertTrue(lines[1].startswith(".. "))


class SelfTest(unittest.TestCase):
    """A planted fault is found."""

    def test_by_rst2man(self):
        self.assertIn("WARNING", rst2man_complaints("page\n====\n\ntext `open\n")[1])
        self.assertIn("Unknown target", rst2man_complaints("page\n====\n\nSee NOWHERE_.\n")[1])

    def test_by_groff(self):
        self.assertNotEqual(groff_complaints('.TH "PAGE" 1\n.SH NAME\npage \\- text\n.nosuchmacro\n'), "")

    def test_by_references(self):
        self.assertEqual(dangling_references("See **nosuchpage**\\ (1) and **lfad**\\ (8)."), {"nosuchpage(1)"})
        self.assertEqual(see_also("x\nSEE ALSO\n========\n\n**lfad**\\ (8), **busctl**\\ (1)\n"),
                         ["lfad(8)", "busctl(1)"])


unittest.main(verbosity=1)
