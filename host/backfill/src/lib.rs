//! The run: discover, plan, pump, commit, report.
