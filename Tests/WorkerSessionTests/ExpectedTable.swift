/// What every event does in every state of ``SessionTable``: the effects, and the state after them.
let sessionTable: [String: String] = [
    "awaiting": """
    welcome, first nonce: joined, send hello N1 -> idle
    welcome, new nonce: joined, send hello N2 -> idle
    welcome, new epoch: joined, send hello N2 -> idle
    welcome without nonce: unexpected -> awaiting
    job L2: unexpected -> awaiting
    job L1 again: unexpected -> awaiting
    computation L3: unexpected -> awaiting
    cancelled L1: nothing -> awaiting
    lapsed L1: nothing -> awaiting
    cancelled L5: nothing -> awaiting
    refused: end refused twice -> ended
    finished L1: nothing -> awaiting
    finished L5: nothing -> awaiting
    touched L1: nothing -> awaiting
    touched L5: nothing -> awaiting
    drain: end drained -> ended
    limit: nothing -> awaiting
    dismissal overdue: nothing -> awaiting
    abandoned: end abandoned -> ended
    """,
    "idle": """
    welcome, first nonce: send hello N1 -> idle
    welcome, new nonce: drop unsent, joined, send hello N2 -> idle
    welcome, new epoch: drop unsent, joined anew, send hello N2 -> idle
    welcome without nonce: unexpected -> idle
    job L2: begin L2 -> busy(L2)
    job L1 again: begin L1 -> busy(L1)
    computation L3: send wrong-item L3 N1 -> idle
    cancelled L1: nothing -> idle
    lapsed L1: nothing -> idle
    cancelled L5: nothing -> idle
    refused: end refused twice -> ended
    finished L1: nothing -> idle
    finished L5: nothing -> idle
    touched L1: nothing -> idle
    touched L5: nothing -> idle
    drain: send goodbye N1 -> drained
    limit: nothing -> idle
    dismissal overdue: nothing -> idle
    abandoned: end abandoned -> ended
    """,
    "busy": """
    welcome, first nonce: send hello N1 -> busy(L1)
    welcome, new nonce: stop L1 membershipOver, drop unsent, joined, send hello N2 -> idle
    welcome, new epoch: stop L1 membershipOver, drop unsent, joined anew, send hello N2 -> idle
    welcome without nonce: unexpected -> busy(L1)
    job L2: begin L2 -> busy(L1 L2)
    job L1 again: nothing -> busy(L1)
    computation L3: send wrong-item L3 N1 -> busy(L1)
    cancelled L1: stop L1 cancelled -> idle
    lapsed L1: stop L1 lapsed -> idle
    cancelled L5: nothing -> busy(L1)
    refused: stop L1 membershipOver, end refused twice -> ended
    finished L1: send job L1 N1 -> idle
    finished L5: nothing -> busy(L1)
    touched L1: send progress L1 N1 -> busy(L1)
    touched L5: nothing -> busy(L1)
    drain: send goodbye N1 -> draining(L1)
    limit: nothing -> busy(L1)
    dismissal overdue: nothing -> busy(L1)
    abandoned: stop L1 membershipOver, end abandoned -> ended
    """,
    "draining": """
    welcome, first nonce: send hello N1, send goodbye N1 -> draining(L1)
    welcome, new nonce: stop L1 membershipOver, end drained -> ended
    welcome, new epoch: stop L1 membershipOver, end drained -> ended
    welcome without nonce: unexpected -> draining(L1)
    job L2: begin L2 -> draining(L1 L2)
    job L1 again: nothing -> draining(L1)
    computation L3: send wrong-item L3 N1 -> draining(L1)
    cancelled L1: stop L1 cancelled -> drained
    lapsed L1: stop L1 lapsed -> drained
    cancelled L5: nothing -> draining(L1)
    refused: stop L1 membershipOver, end drained -> ended
    finished L1: send job L1 N1 -> drained
    finished L5: nothing -> draining(L1)
    touched L1: send progress L1 N1 -> draining(L1)
    touched L5: nothing -> draining(L1)
    drain: nothing -> draining(L1)
    limit: stop L1 membershipOver, end drained -> ended
    dismissal overdue: nothing -> draining(L1)
    abandoned: stop L1 membershipOver, end abandoned -> ended
    """,
    "drained": """
    welcome, first nonce: send hello N1, send goodbye N1 -> drained
    welcome, new nonce: end drained -> ended
    welcome, new epoch: end drained -> ended
    welcome without nonce: unexpected -> drained
    job L2: begin L2 -> draining(L2)
    job L1 again: begin L1 -> draining(L1)
    computation L3: send wrong-item L3 N1 -> drained
    cancelled L1: nothing -> drained
    lapsed L1: nothing -> drained
    cancelled L5: nothing -> drained
    refused: end drained -> ended
    finished L1: nothing -> drained
    finished L5: nothing -> drained
    touched L1: nothing -> drained
    touched L5: nothing -> drained
    drain: nothing -> drained
    limit: end drained -> ended
    dismissal overdue: end drained -> ended
    abandoned: end abandoned -> ended
    """,
    "ended": """
    welcome, first nonce: nothing -> ended
    welcome, new nonce: nothing -> ended
    welcome, new epoch: nothing -> ended
    welcome without nonce: unexpected -> ended
    job L2: nothing -> ended
    job L1 again: nothing -> ended
    computation L3: nothing -> ended
    cancelled L1: nothing -> ended
    lapsed L1: nothing -> ended
    cancelled L5: nothing -> ended
    refused: nothing -> ended
    finished L1: nothing -> ended
    finished L5: nothing -> ended
    touched L1: nothing -> ended
    touched L5: nothing -> ended
    drain: nothing -> ended
    limit: nothing -> ended
    dismissal overdue: nothing -> ended
    abandoned: nothing -> ended
    """,
]
