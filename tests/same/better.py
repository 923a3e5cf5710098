def run(tally, pool): pass
