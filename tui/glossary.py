"""The words of MLPerf and of inferdeck in a sentence or two each, for the help and the palette."""

WORDS = {
    "round": "A release of MLPerf Inference with its rules, here v2.1. Results of one round can be compared.",
    "benchmark": "A model, a data set and an accuracy target that the round fixes: resnet50, retinanet, bert, dlrm, "
    "3d-unet, rnnt.",
    "division": "closed: the same model for everyone, so that systems compare. open: model and accuracy are yours to "
    "choose. network: closed, with the queries coming over a network.",
    "category": "edge or datacenter, by what the system is for. It decides which scenarios a submission must have.",
    "scenario": "How queries arrive: SingleStream one after another, MultiStream eight samples at once, Server at "
    "random times like people, Offline everything at the beginning.",
    "mode": "performance measures speed on a part of the data, accuracy answers the whole data set once, "
    "compliance repeats runs in other ways to show that nothing was cached or skipped.",
    "LoadGen": "MLCommons' load generator: it sends the queries, takes the time, and is the only thing that may "
    "measure.",
    "SUT": "System under test: the machine with its software, by the name of its description.",
    "system description": "The fields of the rules that say what machine it is. Published with the result.",
    "QSL": "Query sample library: the prepared samples that LoadGen asks for by number.",
    "backend": "The framework that executes the model: onnxruntime, tensorflow.",
    "component": "One building block: a data set, a model, a backend, a run, a check. It has tags, options, needs, "
    "variations.",
    "variation": "A named choice of a component, written _name. Those of one group exclude each other.",
    "plan": "Your choices resolved: every component with everything decided and the reason for it, before "
    "anything runs.",
    "job": "One execution of a plan, in a process of its own. It goes on when the terminal goes.",
    "artifact": "What a step leaves in the store; made again only when something that went into it changed.",
    "target": "What LoadGen is told to expect: queries per second (Server, Offline) or a latency (the streams). In "
    "Server it is the rate at which queries arrive.",
    "latency bound": "Server: the share of queries that the rules name (99 % for resnet50) must be answered within it.",
    "percentile": "p90 is the time within which 90 of 100 queries were answered.",
    "VALID": "LoadGen's own verdict: the run was long enough, had enough queries and kept its latency bound.",
    "early stopping": "A statistical test: how many queries it takes to be sure of a percentile, given what was seen.",
    "run style": "test: seconds, to see that it works. fast: about a minute. valid: the durations of the rules; only "
    "these can be handed in.",
    "performance sample": "A run draws from this many loaded samples at least; 1,024 for resnet50.",
    "stand-in": "The true graph with made-up weights: shows speed where the real weights can't be had, never accuracy.",
    "TEST01": "Compliance: the answers of a performance run must be those of the accuracy run.",
    "TEST04": "Compliance: the same sample over and over must not be faster than different ones: nothing is cached.",
    "TEST05": "Compliance: with other random seeds the speed must be the same.",
    "submission": "A folder of results, descriptions and code in the form of the rules, which the checker accepts.",
    "truncate": "Cut the long accuracy logs of a submission to their ends, as the rules ask, with a hash of the whole.",
    "finding": "One thing that the checker has to say: the rule, the place, what was found and expected, how to mend"
    " it.",
    "preflight": "Everything the checker would refuse and that can be known before anything runs.",
    "provisional": "While a run goes on, the verdict is our reckoning; LoadGen decides at the end.",
}
