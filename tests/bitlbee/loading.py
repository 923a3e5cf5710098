"""Ways to load the library into Debian's BitlBee. Stage.couple checks in /proc/PID/maps that it was this library."""

from scenario import prove, scenario, talk


def converse(stage, environment, installation=None):
    with stage.couple(environment=environment, installation=installation) as couple:
        couple.connect_otr()
        talk(couple, color="05")
        prove(couple.alice, couple.bob, question="question question question", secret="answer")
        prove(couple.bob, couple.alice)
        talk(couple, color="03")


@scenario("loading: LD_LIBRARY_PATH: a conversation and SMP, only the library under test mapped")
def library_path(stage):
    converse(stage, stage.library.by_library_path())


@scenario("loading: LD_PRELOAD: a conversation and SMP, only the library under test mapped")
def preload(stage):
    converse(stage, stage.library.by_preload())
