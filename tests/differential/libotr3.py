#!/usr/bin/env python3
"""libotr.so.2 compared with libotr 3.2 itself. No registry has libotr 3.2, so its behaviour was recorded (recorded/README.md):
each script was played by users who all have libotr 3.2, and is played here by users who all have ours. If you have its
libotr.so.2, LIBOTR2=path plays the scripts with that one, and in mixed pairs."""

import json
import lzma
import os
import re
from pathlib import Path

import compare
import scenarios
import schedules
import scripts3
import world
from explained3 import EXPLAINED
from pool import Missing, Pool
from world import *

RECORDED = Path(__file__).resolve().parent / "recorded"
TRACES = RECORDED / "traces.xz"
SCHEDULES = 250

# What libotr 3.2 has not: several instances of a correspondent, an extra key, polling, tags, texts that the client
# converts, keys that are made step by step, a prefix of the client's own; and the twins of scripts of version 2.
ABOUT_VERSION_3 = """
    session_v3 crossing_v3 crossing_v3_other_order without_a_callback_v3 queries_in_every_state_v3 tags_in_every_state_v3
    ake_repeated_v3 ake_dropped_v3 ake_dropped_and_again_v3 ake_dropped_in_session_v3 ake_late_v3 ake_truncated_v3
    ake_flipped_v3 ake_longer_v3 ake_flipped_everywhere_v3 data_changed_v3 data_held_back_v3 counters_reused_v3
    ake_instances whom_to_send_to to_no_instance to_the_recent_without_any instance_tags no_instance_tags tags_lost_midway
    logins_for_other_instances logins_timers best_of_many meta_tags_everywhere commits_of_an_instance_and_its_master
    fragments_for_other_instances polled_with_many polling polling_late_answers extra_symmetric_key
    key_generation_under_way converted resend_prefix
""".split()

# The callbacks of libotr 3.2 in the order of its table, by the names that scripts leave them out with: those of libotr 4.
# What libotr 3.2 tells in another way stands for what it tells.
TABLE = ("policy create_privkey is_logged_in inject_message otr_error_message handle_msg_event update_context_list convert_msg "
         "convert_free new_fingerprint write_fingerprints gone_secure gone_insecure still_secure timer_control "
         "max_message_size account_name account_name_free").split()


# Scripts in which a heartbeat soon ends the comparison, which libotr 3.2 does not send: they are played at once as well.
WITH_HEARTBEATS = """
    session_lost without_a_callback_v2 without_a_callback_required with_the_least_of_callbacks heartbeats_and_logged_in
    heartbeat_conditions
""".split()


def scripts():
    """Name, script, seed and world of all that is played."""
    every = scenarios.every() | scenarios.of_module(scripts3)
    out = {name: (script, 1, World3) for name, script in every.items() if name not in ABOUT_VERSION_3}
    for name in WITH_HEARTBEATS:
        out[f"{name}_at_once"] = (every[name], 1, AtOnce)
    for seed in range(SCHEDULES):
        out[f"schedule_{seed}"] = (schedules.script(plan(seed)), seed, AtOnce if seed % 2 else World3)
    return out


def plan(seed):
    """A random plan of a seed without what libotr 3.2 has not."""
    logins, policies, actions = schedules.generate(seed)
    return [logins, policies, [a for a in actions if a[0] not in ("symkey", "poll")]]


class World3(World):
    """A world of libotr 3.2: version 2 where a script says 3, one context for each correspondent, and texts for people
    by what they are about."""

    def adapt(self, user, settings):
        settings = dict(settings)
        if settings.get("policy", 0) & V3:
            settings["policy"] = settings["policy"] & ~V3 | V2
        if "null_ops" in settings:
            names = [name for bit, name in enumerate(CALLBACKS) if settings["null_ops"] >> bit & 1]
            settings["null_ops"] = sum(1 << bit for bit, name in enumerate(TABLE) if name in names)
        return settings

    def context(self, name):
        return name.partition("/")[0] + "/0"

    def worded(self, line):
        if line.startswith(("cb notify ", "cb display_otr_message ")):
            words = line.split(" ")
            count = 3 if words[1] == "notify" else 1
            told = b" / ".join(b"~" if word == "~" else from_hex(word) for word in words[-count:])
            return " ".join([*words[:-count], about(told)])
        if line.startswith("cb log_message "):
            return "cb log_message " + about(from_hex(line.split(" ")[2]))
        # Where the recordings have the name alone.
        line = re.sub(r"^(cb add_app_data .*) 0$|^(ret find \w+)/0", r"\1\2", line)
        found = re.match(r"(ret recv .*shown=)(\w+)$", line)
        if found and (from_hex(found[2]) or b"").startswith(b"<b>"):
            return found[1] + about(from_hex(found[2]))
        return line


class AtOnce(World3):
    """A world where little time passes."""

    def clock(self, seconds):
        super().clock(seconds // 60)


# What texts for people are about, by words that both libraries use; what the parentheses match is kept.
SUBJECTS = {
    "no session to read it in": rb"<b>(?:The|An) encrypted message .*from (\w+) .*",
    "sent again": rb"<b>.*last message to (\w+) was .*",
    "not encrypted": rb"<b>.*from (\w+) was <i>not</i> encrypted: \[</b>(.*)<b>\]</b>",
    "not encrypted for them": rb"(?:An error occurred when encrypting your message|Your message could not be encrypted).*",
    "not encrypted for them, in a window": rb"(?:Error encrypting message|Encryption failed) / .*",
    "waits": rb"(?:Attempting to start a|A) private conversation.*",
    "waits, in a window": rb"[^/]* / You[^/]* message to (\w+)[^/]* / .*",
    "malformed": rb"(?:We received a malformed|A damaged OTR) .*from (\w+)\.",
    "malformed, in a window": rb"OTR [Ee]rror / (?:We received a malformed|A damaged OTR) .*from (\w+)\. / ~",
    "unreadable, in a window": rb"OTR [Ee]rror / (We received an unreadable encrypted message from \w+\.) / ~",
    "no session made, malformed": rb".* private conversation.*: .*(?i:malformed).*",
    "no session made, malformed, in a window": rb".* private conversation.*: .*(?i:malformed).* / ~",
    "no session made": rb".* private conversation.*: (.*)",
    "finished": rb"Your message was not sent.*(?:restart it|start it again)\.",
    "finished, in a window": rb"Private connection closed / (\w+) has already .* / (Your message was not sent\. .*)",
    "our own messages": rb"(?:We are receiving our own|Our own) OTR messages .*",
    "our own messages, in a window": rb"OTR [Ee]rror / (?:We are receiving our own|Our own) OTR messages.*",
    "an unknown kind": rb".*OTR message .*received from (\w+)\.\n",
}


def about(text):
    """A text for people by its subject."""
    for subject, pattern in SUBJECTS.items():
        found = re.fullmatch(pattern, text, re.S)
        if found:
            return f"{{{', '.join([subject, *map(repr, found.groups())])}}}"
    return repr(text)


class Keys:
    """The keys of the users, the same in every run, and a place for files."""

    def __init__(self, directory):
        self.directory = directory

    def key(self, account, number):
        return RECORDED / "keys" / f"{account}.{number}.keys"

    def tag(self, account, number):
        return Path(f"{account}.{number}.tags")


# The line after which libotr 3.2 shows what happens to be in its memory.
UNDEFINED = "> from here on, what happens to be in memory"


def common(one, other):
    """What two traces of the same library have in common: a round ends where they differ."""
    out = []
    for a, b in zip(compare.rounds(one), compare.rounds(other)):
        if a != b:
            same = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
            a = a[:same] + [UNDEFINED]
        out += a
    return out


class Players:
    """The libraries in processes of their own. The original is there if LIBOTR2 names it."""

    def __init__(self, pool):
        self.pool, self.keys = pool, Keys(pool.directory)
        self.ours = pool.older()
        path = os.environ.get("LIBOTR2")
        # What libotr 3.2 reads before it has written anything there is told by playing it over different memory.
        self.real = [pool.driver3(path, fill) for fill in (0, 0xa5)] if path else []

    def play(self, script, drivers, seed, kind):
        return world.play(script, self.keys, drivers, seed, kind)

    def original(self, script, seed, kind):
        """What libotr 3.2 does with a script."""
        return common(*(self.play(script, (driver, driver), seed, kind) for driver in self.real))


def read():
    """The recorded traces by the names of their scripts."""
    if not TRACES.exists():
        raise Missing(f"there is no {TRACES.name}")
    with lzma.open(TRACES, "rt", encoding="utf-8") as file:
        return {name: trace.split("\n") for name, trace in map(json.loads, file)}


def record(pool):
    """Records what the library that LIBOTR2 names does."""
    players = Players(pool)
    if not players.real:
        raise Missing("set LIBOTR2 to the path of a libotr.so.2 of libotr 3.2")
    lines = cut = 0
    with lzma.open(TRACES, "wt", encoding="utf-8", preset=9) as file:
        for name, (script, seed, kind) in scripts().items():
            trace = players.original(script, seed, kind)
            lines += len(trace)
            cut += UNDEFINED in trace
            file.write(json.dumps([name, "\n".join(trace)]) + "\n")
    print(f"{len(scripts())} scripts, {lines} lines; in {cut} of them, memory that was never written is shown", flush=True)


def usual_lengths(trace):
    """A trace with DH values of their usual length: one that begins with a zero byte, by chance, is shorter."""
    return [re.sub(r"\?OTR:AAIK:27[0-3]\b", "?OTR:AAIK:274", re.sub(r"\bgy=19[01]\b", "gy=192", line)) for line in trace]


def check(tally, name, reference, trace, what):
    """Compares a trace with that of libotr 3.2. Returns how many lines were compared."""
    reference, trace = usual_lengths(reference), usual_lengths(trace)
    found, compared = compare.differences(name, reference, trace, EXPLAINED, UNDEFINED)
    result = compare.Result(what, trace, found)
    tally.ok(not result.unexplained, f"libotr 3.2, {name}: {' and '.join(what)}", compare.show(name, result, reference))
    return compared


def main():
    """Records what the library that LIBOTR2 names does."""
    pool = Pool()
    try:
        record(pool)
    finally:
        pool.close()


if __name__ == "__main__":
    main()
