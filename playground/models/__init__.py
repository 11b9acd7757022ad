"""One workload, run in every way that Python has to run it, and what each way did, on one time axis.

This room decides what a way to run jobs is (`base`, and a file for each), that each has a clean process of its own
(`zygote`, `fresh`, `here` where there is none), what is written down there even by who is killed (`rows`), and what
became of a job's time: computing, waiting, queueing for the interpreter's lock, being held up by the system (`units`,
`looker`). It refuses to know what a job is for and how the result is drawn; and what a system does not tell, it does
not guess.

Nothing is imported here before it is asked for. The processes in which experiments run import this package too, and
gevent and eventlet must have replaced parts of the standard library before anything else has taken hold of them.
"""
