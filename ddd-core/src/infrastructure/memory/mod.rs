//! Tasks in this process's memory.
