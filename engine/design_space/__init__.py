"""Search the design space: run trials of many plans under LoadGen's rules and find the points worth submitting."""
