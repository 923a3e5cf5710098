"""libotr.so.2 compared with libotr.so.5: to a correspondent with libotr 4, a user of libotr.so.2 must look like a user of libotr.so.5
without version 3. The scripts are those of scenarios/ and random ones; alice is the user in question. Everything that the
correspondent sees is compared, and of what the user sees the parts that both interfaces have and in which libotr 3.2 and 4 agree.
libotr3.py compares with libotr 3.2 itself."""

import re

import compare
import schedules
import world
from world import *

# Those that ask for nothing that only libotr 4 has, and do not send a text again after more than a minute: to libotr 4 it
# is as young as the exchange, to 3.2 as old as it is.
SCRIPTS = """
    session_v1 session_v2 every_pair_of_client_policies query_forms query_sent_forms whitespace_forms whitespace_session required
    required_incoming mixed_versions policy_changes_midway refresh refresh_with_another_key crossing_v2 crossing_v2_other_order
    queries_in_every_state_v2 tags_in_every_state_v2 ake_repeated_v2 ake_dropped_v2 ake_dropped_and_again_v2
    ake_dropped_in_session_v2 ake_late_v2 ake_truncated_v2 ake_flipped_v2 ake_longer_v2 ake_reordered ake_numbers
    ake_of_version_1_disturbed dh_commit_wrong_hash reflected data_replayed data_out_of_order data_long_silence data_changed_v2
    data_in_every_state data_held_back_v2 counters_reused_v2 tlvs_of_the_client odd_tlvs_received
    session_lost heartbeats resend_to_another_key resend_to_a_trusted_key
    resent_by_who_began finished both_close errors smp_all_ways smp_aborted smp_lost_messages smp_cheated_v2
    smp_odd_questions fragment_sizes
""".split()
SCHEDULES = [seed for seed in range(61) if seed != 17]


class Older(World):
    """A world where alice has no version 3, and is used as clients of libotr 3.2 use it: the usual prefix before what is
    sent again, and an SMP that failed is aborted."""

    def adapt(self, user, settings):
        if user.account != "alice":
            return settings
        settings = dict(settings, null_ops=1 << CALLBACKS.index("resent_msg_prefix"), smp_abort=1)
        if "policy" in settings:
            settings["policy"] &= ~V3
        return settings


# The lines of the user's own trace that both interfaces have, and the fields of a context.
OWN = re.compile(r"inject |message |ret (send|trusted)"
                 r"|cb (new_fingerprint|write_fingerprints|gone_secure|still_secure|handle_smp_event)"
                 r"|- \w+/0 (msgstate|authstate|initiated|active|sid|half|prints|next) ")


def shared(trace):
    """The lines of a trace that are compared."""
    out, answer = [], []
    for line in trace + ["> end"]:
        if line.startswith("end: "):
            continue
        own = re.match(r"alice\d?: ", line)
        if not own:
            # What comes of one call is one heap: the order of callbacks is that of each interface.
            out += sorted(answer)
            answer = []
            out.append(worded(line))
        elif OWN.match(line, own.end()):
            answer.append(worded(line))
    return out


def worded(line):
    """A line without the words that are each interface's own: of error messages, and after a query."""
    line = re.sub(r"['\"]\?OTR Error.*", "'?OTR Error", line)
    line = re.sub(r"(handle_msg_event \S+ 12 err=0) .*", r"\1", line)
    line = re.sub(r"(handle_smp_event \S+ \d+ \d+).* (\S+)$", r"\1 \2", line) if line.startswith("alice") else line
    return re.sub(r"'(\?OTR\??v?\d*\?)\\n.*", r"'\1", line)


def check(tally, pool, name, script, seed=1):
    """Plays a script with either library in the hands of the first user. Returns how many lines were compared."""
    lines = 0
    for other in ("real", "ours"):
        newer = shared(world.play(script, pool, (pool.drivers["ours"], pool.drivers[other]), seed, Older))
        older = shared(world.play(script, pool, (pool.older(), pool.drivers[other]), seed, Older))
        found = next(iter(compare.hunks(newer, older)), None)
        lines += len(older) if found is None else found[2]
        detail = ""
        if found is not None:
            a, b, c, d = found
            detail = "\n".join([f"      {line[:200]}" for line in newer[max(0, a - 8):a]]
                               + [f"    - {line[:200]}" for line in newer[a:b][:8]] + [f"    + {line[:200]}" for line in older[c:d][:8]])
        tally.ok(found is None, f"libotr.so.2, {name}: with {other}", detail)
    return lines


def plan(seed):
    """A random plan of a seed without what libotr 3.2 has not."""
    logins, policies, actions = schedules.generate(seed)
    return [logins, policies, [a for a in actions if a[0] not in ("symkey", "poll", "mms")]]
