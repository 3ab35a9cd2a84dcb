//! One API in front of every background-check vendor.

fn main() -> std::process::ExitCode {
    vetgate::main()
}
