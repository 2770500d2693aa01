fn main() -> std::process::ExitCode {
    uphill::cli::main(&CRATE::catalogue())
}
