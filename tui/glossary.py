"""Glossary of MLPerf and inferdeck, a sentence or two per term, for the help and the palette."""

WORDS = {
    "round": "A release of MLPerf Inference with its rules, such as v5.1. Results of one round can be compared.",
    "benchmark": "A model, a data set and an accuracy target that the round fixes; Plan and the guide list them.",
    "division": "closed: the same model for everyone, so that systems compare. open: model and accuracy are yours to "
    "choose. network: closed, with the queries coming over a network.",
    "category": "edge or datacenter, by what the system is for. It decides which scenarios a submission must have.",
    "scenario": "How queries arrive: SingleStream one after another, MultiStream eight samples at once, Server at "
    "random (Poisson) intervals, like users, Offline all at once.",
    "mode": "performance measures speed on part of the data, accuracy runs the whole data set once, "
    "compliance repeats runs under other conditions to show that nothing was cached or skipped.",
    "LoadGen": "MLCommons' load generator: it sends the queries and measures the time; no other measurement counts.",
    "SUT": "System under test: the machine with its software, by the name of its description.",
    "system description": "Hardware and software of the machine, in the fields of the rules; published with it.",
    "QSL": "Query sample library: the prepared samples that LoadGen asks for by number.",
    "backend": "The framework that executes the model; Plan and the guide list those that have it.",
    "component": "One building block: a data set, a model, a backend, a run, a check. It has tags, options, needs, "
    "variations.",
    "variation": "A named choice of a component, written _name. Those of one group exclude each other.",
    "plan": "Your choices resolved: every component with everything decided and the reason for it, before "
    "anything runs.",
    "job": "One execution of a plan, in a process of its own. It continues when the terminal closes.",
    "artifact": "The output of a step in the store; rebuilt only when one of its inputs changed.",
    "target": "What LoadGen is told to expect: queries per second (Server, Offline) or a latency (the streams). In "
    "Server it is the rate at which queries arrive.",
    "latency constraint": "Server: a percentage of the queries, which the round fixes, must be answered in this time.",
    "percentile": "p90 is the time within which 90 of 100 queries were answered.",
    "VALID": "LoadGen's verdict: the run was long enough, had enough queries and met its latency constraint.",
    "early stopping": "A statistical test: how many queries it takes to be sure of a percentile, given what was seen.",
    "run style": "test: seconds, to see that it works. fast: about a minute. valid: the durations of the rules; only "
    "these can be submitted.",
    "performance sample": "A run draws from this many loaded samples at least; the round fixes how many.",
    "synthetic weights": "The benchmark's own graph with generated weights: measures speed without the real weights, "
    "never accuracy. Written _synthetic-weights or _stand-in.",
    "word error rate": "Of speech recognition: words that were left out, put in or recognised wrongly, in per cent of "
    "the words that were said. Lower is better; the accuracy is 100 % less that.",
    "TEST01": "Compliance: the responses of a performance run must equal those of the accuracy run.",
    "TEST04": "Compliance: the same sample over and over must not be faster than different ones: nothing is cached.",
    "TEST05": "Compliance: other random seeds must give the same speed.",
    "submission": "A folder of results, descriptions and code in the form of the rules, which the checker accepts.",
    "truncate": "Cut the long accuracy logs of a submission to their ends, as the rules ask, with a hash of the whole.",
    "finding": "One result of the checker: the rule, the place, what was found and expected, and the remedy. it.",
    "preflight": "A check before the run: everything the checker would reject that is already known.",
    "provisional": "During a run the verdict is an estimate; LoadGen decides at the end.",
}
