package import ArgumentParser
import Kernel
import Logging
import Storage

/// The one program: a node of the platform, and everything an operator does with it.
///
/// Exit codes: 0 done, 1 failed, 2 wrong usage.
package struct Sanjiang: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "sanjiang",
    abstract: "三江 · a province's platform for sharing government data under recorded grants.",
    version: "0.1.0",
    subcommands: [
      InitCommand.self, DemoCommand.self, ServeCommand.self, WorkerCommand.self, MigrateCommand.self,
      BackupCommand.self,
      RestoreCommand.self, CalendarCommand.self, AuditCommand.self, PeopleCommand.self, ExchangeCommand.self,
      CatalogCommand.self, SupervisionCommand.self,
      BenchCommand.self,
    ])

  package init() {}

  /// Parses and runs, and turns what goes wrong into one clear line and an exit code.
  package static func main() async {
    LoggingSystem.bootstrap(
      { StreamLogHandler.standardError(label: $0, metadataProvider: $1) },
      metadataProvider: Logger.MetadataProvider {
        Trace.current.map { ["trace_id": "\($0.id)", "span_id": "\($0.span)"] } ?? [:]
      })
    do {
      var command = try parseAsRoot()
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch let refusal as Refusal {
      Terminal.complain(refusal)
      Self.exit(withError: ExitCode(isUsage(refusal) ? 2 : 1))
    } catch let trouble as StorageError {
      if let refusal = trouble.forPeople { Terminal.complain(refusal) }
      Terminal.error(trouble.description)
      Self.exit(withError: ExitCode(1))
    } catch let code as ExitCode {
      Self.exit(withError: code)
    } catch {
      let code = exitCode(for: error)
      if code == .validationFailure {
        // Ends with the usage of the command that was meant.
        Terminal.error(fullMessage(for: error))
        Self.exit(withError: ExitCode(2))
      }
      if code == .success { Self.exit(withError: error) }
      if let refusal = Files.refusal(for: error) { Terminal.complain(refusal) } else { Terminal.error("\(error)") }
      Self.exit(withError: ExitCode(1))
    }
  }

  /// Whether what was refused is how the program was called or set up: nothing of the node was looked at yet.
  static func isUsage(_ refusal: Refusal) -> Bool {
    refusal.code.hasPrefix("usage.") || refusal.code.hasPrefix("settings.")
  }
}
