"""What numbers can tell: pure functions of arrays, whose error rates the benchmarks measure."""
