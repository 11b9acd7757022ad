"""What time it is and who may run: the lab's event loop, the thread that it lives in, and the threads beside it.

This room decides when a callback, a timer or a worker thread has its turn, in real time and in virtual time, where the
clock jumps to whatever happens next and exactly one thread runs at a time. It decides what a loop tells a recorder
(`recorder`), and replaces Python's own clocks, sleeps, locks and threads for as long as a virtual loop is open
(`places`, `borrowed`), and no longer. It refuses to know what runs on the loop: neither apps nor requests, and of a
recorder only that it can be told of steps. Begin with `loop`, `thread`, then `virtual` and `baton`; where there are no
threads, `simulated`.
"""
