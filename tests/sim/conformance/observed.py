# SPDX-License-Identifier: LGPL-2.1-or-later
"""What was seen when the real drivers ran, beyond the statements: oopses, lost trees, stalls, the words of the log."""
