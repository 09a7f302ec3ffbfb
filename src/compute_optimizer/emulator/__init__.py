"""The service as a test double: the real server, with time, faults and a record in a test's hands.

`running.emulator()` starts one for the length of a block; `pytest_plugin` has it as a fixture.
"""
