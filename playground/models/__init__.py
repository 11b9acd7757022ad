"""One workload, run in every way that Python has to run it, and what each way did, on one time axis.

Nothing is imported here before it is asked for. The processes in which experiments run import this package too, and
gevent and eventlet must have replaced parts of the standard library before anything else has taken hold of them.
"""
