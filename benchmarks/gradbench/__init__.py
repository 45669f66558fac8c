"""Problems of GradBench (https://gradben.ch) as a NumPy user writes them, and as peers' users do.

Each module has `inputs`, whose first result is what to differentiate by, and `primal`, the function
in NumPy's words; its first argument is the namespace of the library that runs it. Where users of a
library write something else, the module has a function with the library's name. `SIZE` is what the
benchmark measures, mostly one of GradBench's sizes, `SMALL` is for tests.
"""
