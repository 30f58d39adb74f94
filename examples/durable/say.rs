//! How the program speaks. A closed output, as of `durable | head`, is none of its business.

macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), "  {}", format_args!($($text)*));
    }};
}

macro_rules! section {
    ($title:literal) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), "\n{}", $title);
    }};
}
