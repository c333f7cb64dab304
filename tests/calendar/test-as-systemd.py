#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calendar expressions mean what systemd makes of them: generated ones are given to `systemd-analyze calendar` and to
our code, in many time zones and around daylight saving changes, leap days and ends of years, and the answers compared.

What is generated depends on LFAD_SEED alone (LFAD_BATCHES says how much of it), so that what fails can be run again."""

import calendar
import collections
import datetime
import os
import random
import re
import subprocess
import sys
import zoneinfo

SEED = int(os.environ.get("LFAD_SEED", "1"))
BATCHES = int(os.environ.get("LFAD_BATCHES", "120"))
BATCH = 20  # expressions that one systemd-analyze answers
ITERATIONS = 6
ELAPSES = os.environ.get("LFAD_CALENDAR_ELAPSES", "build/tests/calendar/calendar-elapses")

ZONES = ["UTC", "Europe/Berlin", "Europe/London", "America/New_York", "America/Los_Angeles", "America/St_Johns",
         "America/Sao_Paulo", "America/Havana", "America/Asuncion", "Australia/Lord_Howe", "Australia/Sydney",
         "Pacific/Apia", "Pacific/Chatham", "Pacific/Kiritimati", "Asia/Tokyo", "Asia/Kathmandu", "Asia/Tehran",
         "Asia/Gaza", "Asia/Beirut", "Africa/Casablanca", "Africa/Cairo", "Africa/Monrovia", "Atlantic/Azores",
         "America/Scoresbysund", "Antarctica/Troll", "EST5EDT", "Etc/GMT+12"]
if os.environ.get("LFAD_ALL_ZONES"):
    ZONES = sorted(zoneinfo.available_timezones() - {"Factory", "localtime"})

WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "monday", "TUESDAY", "Wednesday", "thursday", "Friday"]
SHORTHANDS = ["minutely", "hourly", "daily", "monthly", "weekly", "yearly", "annually", "anually", "quarterly",
              "semiannually", "semi-annually", "biannually", "bi-annually", "Daily", "HOURLY"]

Batch = collections.namedtuple("Batch", "zone base expressions")


def offset(zone, moment):
    """Seconds that clocks there are ahead of UTC."""
    utc = datetime.datetime.fromtimestamp(moment, datetime.timezone.utc)
    return int(utc.astimezone(zone).utcoffset().total_seconds())


def change_between(zone, low, high):
    """The moment at which clocks are set anew, or None."""
    if offset(zone, low) == offset(zone, high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if offset(zone, middle) == offset(zone, low) else (low, middle)
    return high


def some_change(zone, rng):
    start = rng.randrange(0, calendar.timegm((2037, 1, 1, 0, 0, 0)))
    changes = (change_between(zone, begin, begin + 864000) for begin in range(start, start + 86400 * 366, 864000))
    return next(filter(None, changes), None)


def base_time(zone, rng):
    kind = rng.random()
    if kind < 0.5:
        change = some_change(zoneinfo.ZoneInfo(zone), rng)
        if change and change > 200000:
            return change + rng.choice([rng.randrange(-100000, 7200), rng.randrange(-7200, 7200)])
    if kind < 0.6:
        return calendar.timegm((rng.randrange(1971, 2037), 2, rng.choice([27, 28]), rng.randrange(24), 0, 0))
    if kind < 0.7:
        return calendar.timegm((rng.randrange(1971, 2037), 12, 31, rng.randrange(24), rng.randrange(60), 0))
    return rng.randrange(100000, calendar.timegm((2036, 1, 1, 0, 0, 0)))


def step_without_end(start, last, backwards, rng, fractions):
    """"/STEP" behind a single value. systemd 252 steps beyond the last value and then misses the first ones of what
    comes next, so it is told the end as well, in marks that for_us() and for_systemd() understand."""
    room = start - 1 if backwards else last - start
    step = rng.randint(1, max(1, last // 2))
    if step > room:
        return f"/{step}" if rng.random() < 0.1 else ""
    if backwards:
        return f"<<{start - room // step * step}..>>/{step}"
    if fractions:
        return f"<..59.999999>/{step}{rng.choice(['', '.5'])}"
    return f"<..{last}>/{step}"


def numbers(rng, first, last, likely=None, fractions=False, backwards=False):
    """What one field lists."""
    if rng.random() < 0.35:
        return "*"
    parts = rng.choice([1, 1, 1, 2, 2, 3, 5])
    if backwards:
        last -= 3 * (parts - 1)  # systemd refuses more, see lfad.conf(5)
    return ",".join(number_range(rng, first, last, likely, fractions, backwards) for _ in range(parts))


def number_range(rng, first, last, likely, fractions, backwards):
    start = rng.choice(likely) if likely and rng.random() < 0.5 else rng.randint(first, last)
    start = min(start, last)
    text = str(start) if rng.random() < 0.5 else f"{start:02}"
    fraction = rng.choice([".5", ".25", ".000001", ".1234567", ".999", ".75"])
    if fractions and rng.random() < 0.15:
        text += fraction
    if rng.random() < 0.3 and start + 2 <= last:
        text += f"..{rng.randint(start + 2, last)}"
        if rng.random() < 0.4:
            text += f"/{rng.randint(1, last - start)}"
    elif rng.random() < 0.25 and "." not in text:
        text += step_without_end(start, last, backwards, rng, fractions)
    return text


def for_us(text):
    return re.sub(r"<.*?>+", "", text)


def for_systemd(text):
    """"<..59>" becomes "..59"; "<<2..>>" goes before the number that it is behind."""
    text = re.sub(r"(\d+)<<(.*?)>>", r"\2\1", text)
    return re.sub(r"[<>]", "", text)


def weekdays(rng):
    def part():
        if rng.random() < 0.3:
            first = rng.randrange(7)
            return WEEKDAYS[first] + rng.choice(["..", "..", "-"]) + WEEKDAYS[rng.randrange(first, 7)]
        return rng.choice(WEEKDAYS)
    return ",".join(part() for _ in range(rng.choice([1, 1, 2, 3]))) + rng.choice(["", "", "", ","])


def date(rng, near):
    year = f"{near.tm_year}..{min(near.tm_year + rng.randrange(1, 30), 2199)}" if rng.random() < 0.2 else \
        numbers(rng, 1970, 2199, likely=[near.tm_year, near.tm_year + 1, near.tm_year + 4])
    if rng.random() < 0.1:
        year = str(rng.randrange(100))
    if rng.random() < 0.5:
        year = "*"
    month = numbers(rng, 1, 12, likely=[near.tm_mon, near.tm_mon % 12 + 1, 2])
    separator = "~" if rng.random() < 0.25 else "-"
    day = numbers(rng, 1, 28, likely=[1, 2, 7, 28], backwards=True) if separator == "~" else \
        numbers(rng, 1, 31, likely=[near.tm_mday, near.tm_mday % 28 + 1, 29, 30, 31])
    if rng.random() < 0.25:
        return month + separator + day
    return f"{year}-{month}{separator}{day}"


def time(rng, near):
    hours = [near.tm_hour, (near.tm_hour + 1) % 24, (near.tm_hour + 2) % 24, (near.tm_hour + 23) % 24, 0, 1, 2, 3]
    text = numbers(rng, 0, 23, likely=hours) + ":" + numbers(rng, 0, 59, likely=[0, 15, 30, 45, 59])
    if rng.random() < 0.3:
        text += ":" + numbers(rng, 0, 59, likely=[0, 30, 59], fractions=True)
    return text


def spoil(text, rng):
    """A little something that most often makes it no expression any more."""
    where = rng.randrange(len(text) + 1)
    kind = rng.random()
    if kind < 0.4:
        return text[:where] + rng.choice("0123456789*,./-~: MonUTC@") + text[where:]
    if kind < 0.7:
        return text[:where] + text[where + 1:]
    return text[:where] + rng.choice("0123456789*,./-~: ") + text[where + 1:]


def expression(rng, near):
    if rng.random() < 0.05:
        text = rng.choice(SHORTHANDS)
    elif rng.random() < 0.02:
        text = "@" + str(calendar.timegm(near) + rng.randrange(-1000, 100000000))
    else:
        parts = [weekdays(rng)] if rng.random() < 0.35 else []
        parts += [date(rng, near)] if rng.random() < 0.6 else []
        parts += [time(rng, near)] if not parts or rng.random() < 0.7 else []
        text = " ".join(parts)
    if rng.random() < 0.15:
        text += " " + rng.choice(["UTC", "UTC", rng.choice(ZONES)])
    return text


def generate(rng):
    for _ in range(BATCHES):
        zone = rng.choice(ZONES)
        base = base_time(zone, rng)
        near = datetime.datetime.fromtimestamp(base, zoneinfo.ZoneInfo(zone)).timetuple()
        yield Batch(zone, base, [expression(rng, near) for _ in range(BATCH)])


def generate_spoilt(rng):
    """For what is no expression. One that still is may have a step without end: its elapses are not compared."""
    for batch in generate(rng):
        texts = [spoil(for_us(text), rng) for text in batch.expressions]
        yield batch._replace(expressions=[text for text in texts if re.match("[0-9A-Za-z*@~,]", text)])


def seconds(text, zone):
    """"Sat 2026-11-28 03:30:00 CET" in seconds since 1970. Where the zone's name today is UTC's, no line is in UTC."""
    match = re.fullmatch(r"\w+ (\d+)-(\d+)-(\d+) (\d+):(\d+):(\d+) (\S+)", text)
    fields = tuple(int(number) for number in match.groups()[:6])
    if match[7] == "UTC":
        return calendar.timegm(fields)
    for fold in (0, 1):
        moment = datetime.datetime(*fields, tzinfo=zoneinfo.ZoneInfo(zone), fold=fold)
        if moment.tzname() == match[7]:
            return int(moment.timestamp())
    sys.exit(f"systemd-analyze says '{text}' in {zone}")


def systemd_answers(batch):
    """For each expression the seconds at which it elapses, and at the end "never", or "invalid"."""
    texts = [for_systemd(text) for text in batch.expressions]
    run = subprocess.run(["systemd-analyze", "calendar", f"--iterations={ITERATIONS}",
                          f"--base-time=@{batch.base}", "--", *texts],
                         capture_output=True, text=True, check=False,
                         env={**os.environ, "TZ": batch.zone, "LC_ALL": "C", "SYSTEMD_COLORS": "0"})
    refused = {text: ["invalid"] for text in
               re.findall(r"^Failed to parse calendar specification '(.*)': ", run.stderr, re.M)}
    refused |= {text: ["gave up"] for text in
                re.findall(r"^Failed to determine next elapse for '(.*)': Resource deadlock", run.stderr, re.M)}
    blocks = []
    for line in run.stdout.split("\n"):
        name, _, value = (part.strip() for part in line.partition(": "))
        if name == "Normalized form":
            blocks.append([])
        elif name in ("Next elapse", "(in UTC)") or name.startswith("Iter. #"):
            if name == "(in UTC)":
                blocks[-1].pop()
            blocks[-1].append(value)
    valid = [text for text in texts if text not in refused]
    if len(valid) != len(blocks):
        sys.exit(f"systemd-analyze answered {len(blocks)} of {len(valid)}: {run.stdout}\n{run.stderr}")
    answers = iter(blocks)
    for text in texts:
        if text in refused:
            yield refused[text]
            continue
        answer = [value if value == "never" else seconds(value, batch.zone) for value in next(answers)]
        if len(answer) < ITERATIONS and answer[-1] != "never":
            answer.append("never")
        yield answer


def our_answers(batches):
    text = "".join(f"{batch.zone}\t{batch.base}\t{ITERATIONS}\t{for_us(text)}\n" for batch in batches
                   for text in batch.expressions)
    run = subprocess.run([ELAPSES], input=text, capture_output=True, text=True, check=True)
    for line in run.stdout.splitlines():
        yield ["invalid"] if line.startswith("invalid: ") else \
            [word if word == "never" else int(word) // 1000000 for word in line.split()]


def both_times(zone, moment):
    """The two moments at which clocks show the same time as at this one, as they are set back; None if it is shown once."""
    before, after = offset(zone, moment - 50000), offset(zone, moment + 50000)
    local = moment + offset(zone, moment)
    if before > after and offset(zone, local - before) == before and offset(zone, local - after) == after:
        return local - before, local - after
    return None


def is_first_where_it_can_be(zone, moments):
    """Whether each of these that is shown twice is the first such, unless that is not after the one before it."""
    for previous, moment in zip(moments, moments[1:]):
        both = both_times(zone, moment)
        if both and moment != both[0] and both[0] > previous:
            return False
    return True


def begins_late(zone, year):
    """Whether clocks there do not show 00:00 on the first day of that year."""
    begin = int(datetime.datetime(year, 1, 1, tzinfo=zone).timestamp())
    return (begin + offset(zone, begin)) % 86400 != 0


def set_forward_oddly(zone, moment):
    """Whether clocks are set forward near that moment by more than an hour, or do not show a full hour then."""
    change = change_between(zone, moment - 50000, moment + 50000)
    if not change:
        return False
    before, after = offset(zone, change - 1), offset(zone, change)
    return after > before + 3600 or (after > before and (change + before) % 3600 != 0)


def misses_first_day(zone, moment, without, theirs):
    """Whether that moment is all that systemd misses, and on the first day of a month clocks are set anew then."""
    day = datetime.datetime.fromtimestamp(moment, zone).day
    return day == 1 and change_between(zone, moment - 90000, moment + 90000) and theirs[:len(without)] == without


def difference(batch, text, ours, theirs):
    """None when the answers are the same, the name of what lfad.conf(5) explains, or "different"."""
    if ours == theirs:
        return None
    if "invalid" in (ours[0], theirs[0]):
        return "different"
    if theirs == ["gave up"]:
        return "systemd gave up"
    zone = zoneinfo.ZoneInfo(text.split(" ")[-1] if re.search(r" [A-Z][\w/+-]+$", text) and
                             text.split(" ")[-1] in ZONES else batch.zone)
    if zone.key in ("Europe/Dublin", "Eire") and max(t for t in ours + theirs if t != "never") > 2145916800:
        return "Dublin after 2037"
    same = next((i for i, pair in enumerate(zip(ours, theirs)) if pair[0] != pair[1]), len(theirs))
    ours, theirs = ([t for t in answer if t != "never"] for answer in (ours, theirs))
    if same < len(ours):
        if len(theirs) == same and begins_late(zone, datetime.datetime.fromtimestamp(ours[same], zone).year):
            return "year that begins late"
        if set_forward_oddly(zone, ours[same]):
            return "set forward oddly"
        if misses_first_day(zone, ours[same], ours[:same] + ours[same + 1:], theirs):
            return "month that begins with a change"
    once = [[t for t in answer if not both_times(zone, t)] for answer in (ours, theirs)]
    if len(once[0]) + len(once[1]) < len(ours) + len(theirs) and \
            is_first_where_it_can_be(zone, [batch.base] + ours) and all(our == their for our, their in zip(*once)):
        return "time shown twice"
    return "different"


def compare(batches, judge, counts):
    """Counts what systemd answered, and prints and counts what is different."""
    ours = our_answers(batches)
    for batch in batches:
        for text, theirs in zip(batch.expressions, systemd_answers(batch)):
            answer = next(ours)
            counts[theirs[0] if isinstance(theirs[0], str) else "elapses"] += 1
            verdict = judge(batch, text, answer, theirs)
            if not verdict:
                continue
            counts[verdict] += 1
            if verdict == "different" or os.environ.get("LFAD_VERBOSE"):
                print(f"TZ={batch.zone} systemd-analyze calendar --iterations={ITERATIONS} "
                      f"--base-time=@{batch.base} '{for_systemd(text)}'\n"
                      f"  systemd: {theirs}\n  ours:    {answer} to '{for_us(text)}': {verdict}")


def judge_validity(_batch, text, ours, theirs):
    """Two mistakes of systemd's, which lfad.conf(5) names, make it refuse more."""
    if (ours == ["invalid"]) == (theirs == ["invalid"]):
        return None
    if theirs == ["invalid"] and re.search(r"~[^ ]*,", text):
        return "days from the end"
    if theirs == ["invalid"] and re.search(r":[^ :]*:[^ ]*\d\.\.\d", text):
        return "short range of seconds"
    return "different"


def main():
    elapses, validity = collections.Counter(), collections.Counter()
    compare(list(generate(random.Random(SEED))), difference, elapses)
    compare(list(generate_spoilt(random.Random(SEED + 1))), judge_validity, validity)
    print(f"seed {SEED}, when they elapse: {dict(elapses)}; whether they are valid: {dict(validity)}")
    # What is explained must stay rare, or the explanation hides something.
    rare = sum(number for name, number in elapses.items() if name not in ("elapses", "never", "invalid"))
    if elapses["different"] or validity["different"] or rare > elapses["elapses"] / 100:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
