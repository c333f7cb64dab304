# SPDX-License-Identifier: LGPL-2.1-or-later
"""What exists, read from the source, the XML and the programs' own help: one function a heading of a manual page."""

import re
import xml.etree.ElementTree

import docs
from docs import all_source, read, run_program, source_files

OPTION_TYPES = {"STRING": "s", "STRINGS": "as", "VERSION": "s", "REQUEST_ID": "s", "BOOL": "b", "U32": "u", "U64": "t"}
# Which file has the options of which method. A new file with options must be entered here.
OPTION_FILES = {"Activate": "src/bus/activate.c", "ActivatePending": "src/bus/activate-pending.c",
                "Explain": "src/bus/explain.c", "Hold": "src/bus/hold.c", "Unhold": "src/bus/unhold.c",
                "ClearQuarantine": "src/bus/clear-quarantine.c", "GetHistory": "src/bus/history.c",
                "GetPlan": "src/bus/plan.c"}
# Read by libraries for us, or by the environment's own programs: no getenv of ours shows them.
LIBRARY_ENVIRONMENT = {"lfad": {"NOTIFY_SOCKET"}, "lfactl": {"DBUS_SYSTEM_BUS_ADDRESS"}, "lfa-sim": set()}
# Given by the bus and its library, whatever the service.
BUS_ERRORS = {"UnknownObject", "UnknownMethod", "ServiceUnknown", "NoReply"}


class FactError(Exception):
    """The source no longer looks as these functions expect it to."""


def expect(found, what):
    if not found:
        raise FactError(f"nothing found: {what}")
    return found


# -- the bus

def interface(name):
    root = xml.etree.ElementTree.fromstring(read("dbus/org.arm.LFA1.xml"))
    return expect(root.find(f"interface[@name='org.arm.LFA1.{name}']"), name)


def signature(member, direction=None):
    args = [arg for arg in member.findall("arg") if direction in (None, arg.get("direction"))]
    return "(" + ", ".join(f"{arg.get('type')} {arg.get('name')}" for arg in args) + ")"


def methods(name):
    return {method.get("name"): f"{signature(method, 'in')} -> {signature(method, 'out')}"
            for method in interface(name).findall("method")}


def signals(name):
    return {signal.get("name"): signature(signal) for signal in interface(name).findall("signal")}


def properties(name):
    """Types only: whether changes are announced is asked of the running daemon."""
    return {item.get("name"): item.get("type") for item in interface(name).findall("property")}


def options(method):
    with_options = {path for path in source_files("src/bus") if "static const OptionSpec specs[]" in read(path)}
    if with_options != set(OPTION_FILES.values()):
        raise FactError(f"files with options: {sorted(with_options)}; OPTION_FILES says otherwise")
    text = read(OPTION_FILES[method]).replace("TERMS_OPTIONS,", read("src/bus/terms-options.h"))
    rows = re.findall(r'\{ "([a-z-]+)", OPTION_([A-Z0-9_]+),', text)
    return {name: OPTION_TYPES[kind] for name, kind in expect(rows, OPTION_FILES[method])}


def watchdog_keys():
    """Key -> type of what GetWatchdogs gives of one device."""
    kinds = {"string": "s", "usec": "t", "seconds": "t", "flag": "b"}
    rows = re.findall(r'append_(string|usec|seconds|flag)\(reply, "([a-z-]+)"', read("src/bus/watchdogs.c"))
    return {name: kinds[kind] for kind, name in expect(rows, "keys of watchdogs")}


def statistics_keys():
    """Key -> type of property Statistics."""
    text = read("src/bus/statistics.c")
    names = re.findall(r'append_number\(reply, "([a-z-]+)"', text)
    return {"results": "a{st}"} | dict.fromkeys(expect(names, "keys of statistics"), "t")


def inhibitor_keys():
    """Key -> type of what ListInhibitors gives of one."""
    body = re.search(r"int append_inhibitor\(.*?\n}\n", read("src/bus/inhibit.c"), re.DOTALL)
    rows = re.findall(r'"(\w+)",\s*"([sut])"|append_(images)\(', expect(body, "append_inhibitor").group())
    return {name or images: kind or "as" for name, kind, images in rows}


def plan_keys():
    """Key -> type of what GetPlan gives of one event."""
    text = read("src/bus/plan.c")
    texts = re.search(r"\} texts\[\] = \{\n(.*?)\n        \};", text, re.DOTALL)
    keys = dict.fromkeys(re.findall(r'\{ "(\w+)",', expect(texts, "texts of plans").group(1)), "s")
    return keys | dict.fromkeys(re.findall(r'append_time\(reply, "(\w+)"', text), "t")


def plan_remarks():
    found = re.findall(r'PLAN_REMARK, "([a-z-]+)"', read("src/core/plan.c"))
    return dict.fromkeys(expect(found, "remarks of plans"))


def polkit_actions():
    root = xml.etree.ElementTree.fromstring(read("polkit/org.arm.LFA1.policy"))
    actions = {}
    for action in root.findall("action"):
        defaults = {item.text for item in action.find("defaults")}
        if len(defaults) != 1:
            raise FactError(f"{action.get('id')} has several defaults")
        actions[action.get("id")] = defaults.pop()
    return expect(actions, "actions")


def polkit_details():
    files = ("src/bus/image-details.c", "src/bus/inhibit.c", "src/bus/hold.c", "src/bus/unhold.c")
    rows = [re.findall(r'request_add_detail\(request, "(\w+)"', read(file)) for file in files]
    return dict.fromkeys(name for names in rows for name in expect(names, "details"))


def known_images():
    rows = re.findall(r'\{ "([0-9a-f-]{36})", "(\w+)", "', read("src/util/known-guids.c"))
    return {alias: guid for guid, alias in expect(rows, "known GUIDs")}


def bus_errors():
    """Standard errors that the source gives, and those that come from the bus whatever a service does."""
    used = re.findall(r"SD_BUS_ERROR_([A-Z_]+)\b", all_source("src/bus"))
    own = {name.title().replace("_", "") for name in used if name != "NULL"}
    return dict.fromkeys(own | BUS_ERRORS)


def errors():
    rows = re.findall(r'X\(\w+, "(\w+)", ([01]),', read("include/lfa/error-names.h"))
    return {name: "retryable" if flag == "1" else "not retryable" for name, flag in expect(rows, "errors")}


def firmware_catalogue():
    """name -> (retry, meaning and advice)"""
    text = read("include/lfa/firmware-codes.h").replace("\\\n", "\n")
    rows = re.findall(r'X\(\w+, "(\w+)", -?\d+, (YES|NO|PERHAPS),\s*"([^"]*)",\s*"([^"]*)"\)', text)
    return {name: (retry.lower(), f"{meaning} {advice}") for name, retry, meaning, advice in expect(rows, "codes")}


def describe(part):
    """part: image, job, or all."""
    text = read("src/bus/describe.c")
    body = re.search(rf"json_object \*describe_{part}\(.*?\n}}\n", text, re.DOTALL)
    code = expect(body, f"describe_{part}").group()
    keys = re.findall(r'(?:(?:json_add_\w+|add_flag|json_object_object_add)\(object|gate_mask_to_record\([^,]+), '
                      r'"([a-z-]+)"', code)
    return dict.fromkeys(keys)


# -- the journal

def messages():
    """name -> "level, id" of each event."""
    rows = re.findall(r'X\(\w+, "([a-z-]+)", (\w+),[\s\\]*"([0-9a-f]{32})"\)', read("include/lfa/message-ids.h"))
    return {name: f"{level.lower()}, {message_id}" for name, level, message_id in expect(rows, "events")}


def message_fields():
    found = re.findall(r'#define LFA_FIELD_\w+ "(\w+)"', read("include/lfa/message-fields.h"))
    return dict.fromkeys(expect(found, "fields of entries"))


# -- enumerations

def string_table(path, name):
    body = re.search(rf"\b{name}\[\w+\] = \{{(.*?)\n}};", read(path), re.DOTALL)
    strings = re.findall(r'\[\w+\] = "([^"]*)"', expect(body, name).group(1))
    return dict.fromkeys(text for text in strings if text)


def gates():
    return string_table("src/core/gates.c", "gate_names")


def enumeration(name):
    return string_table("src/core/enum-names.c", name)


def profiles():
    rows = dict(re.findall(r"\[PROFILE_(\w+)\] = \{(.*?)\}", read("src/core/profile.c"), re.DOTALL))
    return {name: "allowed" if ".allowed = true" in expect(rows.get(name.upper()), name) else "refused"
            for name in enumeration("driver_profiles")}


def warning_codes():
    return string_table("src/daemon/warnings.c", "warning_codes")


def record_types():
    return string_table("src/daemon/history.c", "record_types")


def record_keys():
    """Names only; which record has which key, and its type, is seen in records of the running daemon."""
    text = all_source("src/daemon") + read("src/core/terms.c")
    found = re.findall(r'(?:json_add_\w+|json_object_object_add|add_expectation|add_flag)\((?:record|owned), "([a-z-]+)"', text)
    found += re.findall(r'gate_mask_to_record\([^,]+, "([a-z-]+)"', text)
    return dict.fromkeys(expect(found, "keys of records"))


def verdict_rows():
    """Row number -> the set of (result, error) that the table gives for it."""
    names = re.findall(r"^        (VERDICT_\w+)", read("src/core/verdict.h"), re.MULTILINE)
    symbols = dict(re.findall(r'X\((\w+), "(\w+)", [01],', read("include/lfa/error-names.h")), NONE="")
    rows = {name: set() for name in expect(names, "rows")}
    text = re.sub(r"\s+", " ", read("src/core/verdict.c"))
    from_errno = re.findall(r"return LFA_ERROR_(\w+);", re.search(
        r"error_from_attr_errno\(.*?\n}", read("src/core/errors.c"), re.DOTALL).group())
    for row, result, error in re.findall(r"\{ (VERDICT_\w+), RESULT_(\w+), ([^{}]*?), (?:true|false) \}", text):
        found = from_errno if "error_from_attr_errno" in error else re.findall(r"LFA_ERROR_(\w+)", error)
        rows[row] |= {(result.lower(), symbols[name]) for name in expect(found, row)}
    for row, error in re.findall(r"judge_unseen\(&evidence, (VERDICT_\w+), LFA_ERROR_(\w+)\)", text):
        rows[row] |= {("unverified", symbols[error]), ("unknown", symbols[error])}
    return {str(number): pairs for number, pairs in enumerate(rows.values(), 1)}


def documented_verdict_rows(entries):
    """The same from "failed A B, or unknown C", "succeeded"."""
    rows = {}
    for entry in entries:
        pairs = set()
        for part in re.split(r",? or ", entry.detail):
            result, *names = part.split()
            pairs |= {(result, name) for name in names or [""]}
        rows[entry.names[0]] = pairs
    return rows


LIMITS = (("src/daemon/manager.h", "JOBS_MAX"), ("src/daemon/manager.h", "JOBS_PER_UID_MAX"),
          ("src/bus/service.h", "REQUESTS_MAX"), ("src/bus/service.h", "REQUESTS_PER_SENDER_MAX"),
          ("src/bus/service.h", "POLKIT_CHECKS_MAX"), ("src/bus/service.h", "POLKIT_CHECKS_PER_UID_MAX"),
          ("src/daemon/inhibitors.h", "INHIBITORS_MAX"), ("src/daemon/inhibitors.h", "INHIBITORS_PER_UID_MAX"),
          ("src/bus/history.c", "RECORDS_MAX"), ("src/daemon/manager.h", "FINISHED_JOBS_MAX"),
          ("src/core/tree.h", "TREE_IMAGES_MAX"))


def limits():
    return [int(expect(re.search(rf"#define {name} (\d+)", read(path)), name).group(1)) for path, name in LIMITS]


# -- the configuration

CONFIG_HEADINGS = {"Daemon": "[DAEMON]", "Driver": "[DRIVER]", "Policy": "[POLICY]",
                   "Window": "[WINDOW NAME]", "Freeze": "[FREEZE NAME]", "Image": "[IMAGE NAME]",
                   "Watchdog": "[WATCHDOG NAME]"}


def config_rows():
    """(section, key, default, what it takes) of the one table."""
    text = read("src/core/config-keys.c")
    macros = dict(re.findall(r'#define (\w+) ("[^"]*")', text))
    table = expect(re.search(r"const ConfigKey config_keys\[\] = \{\n(.*?)\n};", text, re.DOTALL), "keys").group(1)
    for row in re.split(r"\n        (?=\{ CONFIG_)", table):
        head = re.match(r'\s*\{ CONFIG_(\w+), "(\w+)", "([^"]*)",', row)
        if head:
            row = re.sub(r'\b(\w+)\b(?= ?[",)])', lambda match: macros.get(match.group(1), match.group(1)), row)
            strings = "".join(re.findall(r'"([^"]*)"', row[head.end():]))
            yield head.group(1).title(), head.group(2), head.group(3), strings


def config_keys(section):
    rows = [(key + "=", default or "none") for name, key, default, _ in config_rows() if name == section]
    return dict(expect(rows, section))


def config_headings():
    """Sections of the source, as headings."""
    return {CONFIG_HEADINGS[name] for name in {row[0] for row in config_rows()}}


# -- programs

def long_options(text):
    """The options that a help lists, with their values' names: "--json=MODE"."""
    found = re.findall(r"^\s+(?:-\w, )?(--[a-z-]+(?:\[?=\w+\]?)?)(?= |$)", text, re.MULTILINE)
    return expect(found, "options")


def short_options(text):
    return re.findall(r"^\s+(-\w), --", text, re.MULTILINE)


def lfad_options():
    return dict.fromkeys([*long_options(run_program("lfad", "--help")), "-h"])


def environment(program, folders):
    text = "".join(read(path) for folder in folders for path in
                   ([folder] if folder.endswith(".c") else source_files(folder)))
    names = set(re.findall(r'(?:getenv|environment_or)\("(\w+)"', text)) | LIBRARY_ENVIRONMENT[program]
    return dict.fromkeys(expect(names, "environment"))


def handled_signals():
    text = re.sub(r"\s+", " ", read("src/lfad.c"))
    found = re.findall(r"sd_event_add_signal\([^;]*?, (SIG\w+),", text) + re.findall(r"signal\((SIGHUP), SIG_IGN", text)
    return dict.fromkeys(expect(found, "signals"))


def help_section(text, heading):
    body = re.search(rf"^{heading}[^\n]*:\n(.*?)(?:\n\n|\Z)", text, re.DOTALL | re.MULTILINE)
    return body.group(1) if body else ""


def lfactl_verbs():
    lines = help_section(run_program("lfactl", "--help"), "Verbs").splitlines()
    return dict.fromkeys(re.split(r"\s{2,}", line.strip())[0] for line in expect(lines, "verbs"))


def lfactl_common_options():
    text = help_section(run_program("lfactl", "--help"), "Options")
    return dict.fromkeys(long_options(text) + short_options(text))


def lfactl_verb_options():
    """verb -> options of its own, for verbs that have any."""
    found = {}
    for verb in lfactl_verbs():
        verb = verb.split()[0]
        text = help_section(run_program("lfactl", verb, "--help"), f"Options of '{verb}'")
        if text:
            found[verb] = dict.fromkeys(long_options(text) + short_options(text))
    return found


def lfactl_exit_codes():
    text = help_section(run_program("lfactl", "--help"), "Exit codes")
    return dict.fromkeys(expect(re.findall(r"^  (\d+)  ", text, re.MULTILINE), "exit codes"))


def lfactl_codes_of_errors():
    """{error: exit code}"""
    numbers = dict(re.findall(r"(EXIT_\w+) = (\d)", read("src/ctl/exit-codes.h")))
    rows = re.findall(r'LFA_ERROR_PREFIX "(\w+)", (EXIT_\w+)', read("src/ctl/exit-codes.c"))
    return {name: numbers[code] for name, code in expect(rows, "codes of errors") if name in errors()}


def lfactl_exit_order():
    return expect(re.search(r"in the order ([\d ]+)\.", run_program("lfactl", "--help")), "order").group(1)


def lfactl_json_members():
    text = re.sub(r"\s+", " ", all_source("src/ctl"))
    found = re.findall(r'json_\w+\((?:client->)?document, "([a-z-]+)"', text)
    return dict.fromkeys(expect(found, "members"))


def lfactl_metrics():
    """Name of the samples -> type and labels."""
    table = expect(re.search(r"metric_families\[_METRIC_MAX\] = \{\n(.*?)\n};", read("src/ctl/metric-families.c"),
                             re.DOTALL), "metrics").group(1)
    found = {}
    for kind, row in re.findall(r"=\s+(GAUGE|COUNTER)\((.*?)\),\n", table + "\n", re.DOTALL):
        name, _, *labels = re.findall(r'"([^"]*)"', row)
        name += "_total" if kind == "COUNTER" else ""
        found[name] = kind.lower() + (": " + ", ".join(labels) if labels else "")
    return expect(found, "metrics")


def lfactl_events():
    text = all_source("src/ctl")
    calls = re.findall(r"event_new\(([^;]*)\);", text)
    return {name for call in calls for name in re.findall(r'"([a-z-]+)"', call)}


def sim_help():
    return run_program("lfa-sim", "--help")


def sim_options():
    """Of run, mount and ctl together, and those that stand alone."""
    return dict.fromkeys([*long_options(help_section(sim_help(), "Options of run and mount")), "--help", "-h",
                          "--version"])


def sim_commands():
    text = sim_help().split("Commands of ctl:\n")[1].split("\n\n")[0]
    return dict.fromkeys(expect(re.findall(r"^  (\S.*)$", text, re.MULTILINE), "commands"))


def sim_verbs():
    text = sim_help().split("\nOptions of run and mount")[0]
    found = re.findall(r"^  lfa-sim ((?:run|mount|ctl|profiles)\b.*?)(?:  |$)", text, re.MULTILINE)
    # "lfa-sim ctl [--control=PATH] COMMAND... tell a running simulator; ..."
    return dict.fromkeys(re.split(r"(?<=\.\.\.) ", name.strip())[0] for name in expect(found, "verbs"))


def sim_profiles(heading):
    text = re.search(rf"^{heading}:\n((?:  .*\n)+)", run_program("lfa-sim", "profiles"), re.MULTILINE)
    return dict.fromkeys(line.split()[0] for line in expect(text, heading).group(1).splitlines())


def firmware_codes():
    names = re.findall(r'"LFA_(\w+)"', read("src/sim/lfa-codes.c"))
    return {name: str(-number) for number, name in enumerate(names) if number > 0}


def known_names():
    """Everything that may stand in double backquotes anywhere: all terms of all pages, and full names."""
    names = {"org.arm.LFA1", "org.arm.LFA2"}
    for name in docs.PAGES:
        for entries in docs.page(name).sections.values():
            names |= {word for entry in entries for term in entry.names for word in (term, term.split()[0],
                                                                                    re.split(r"[\[=]", term)[0])}
    for kind in ("Manager", "Image", "Job"):
        names.add(interface(kind).get("name"))
    names |= {"org.arm.LFA1.Error."} | {"org.arm.LFA1.Error." + name for name in errors()}
    names |= {"org.freedesktop.DBus.Error."} | {"org.freedesktop.DBus.Error." + name for name in bus_errors()}
    names.add("org.freedesktop.DBus.ObjectManager")
    return names
