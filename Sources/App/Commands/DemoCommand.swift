import Storage
import ArgumentParser
import Demo
import Foundation
import Kernel
import Sharing
import Supervision

struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Walk the main job on generated data: two departments, a request, a grant, deliveries, proof.")

  @Option(help: "The folder to make; a demo that is there is made anew.") var data = "var/demo"
  @Option(help: "Rows of the register.") var rows = 200_000
  @Option(help: "The site's port afterwards.") var port = 8080
  @Flag(help: "End after the journey instead of leaving the site running.") var once = false
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    guard (1...50_000_000).contains(rows) else { throw ValidationError("--rows: 1 to 50000000") }
  }

  func run() async throws {
    let begun = Clock.system.now()
    try clear()
    let folder = URL(fileURLWithPath: data).path
    let settings = try Settings(
      .init(flags: [
        "data": folder, "database": "sqlite:\(folder)/sanjiang.sqlite", "port": "\(port)", "log-level": "warning",
      ]))
    let clock = DemoClock()
    _ = try await InitCommand.make(settings, clock: clock.clock)
    try Data("A demo of Sanjiang: made by `sanjiang demo`, removed by the next one.\n".utf8)
      .write(to: URL(fileURLWithPath: folder + "/demo.txt"))
    let node = try await Node.open(settings, clock: clock.clock)
    let cast = try await DemoCast.make(on: node)
    try cast.write(to: folder + "/accounts.json")
    let databases = DemoDatabases(folder: folder + "/sources", generator: LegalPersonGenerator(count: rows))
    let t = Terminal.language
    try databases.make {
      Terminal.progress(t("正在生成登记库：\($0) / \(rows) 行", "Generating the register: \($0) of \(rows) rows"))
    }
    Terminal.progress(t("登记库已生成：\(rows) 行。", "The register has \(rows) rows."), final: true)
    let journey = DemoJourney(node: node, cast: cast, databases: databases, clock: clock) { text in
      Terminal.progress(t(text), final: true)
    }
    let outcome = try await journey.run()
    try await node.supervision.refresh()
    let seconds = Double((Clock.system.now() - begun).inMilliseconds) / 1000
    if json {
      Terminal.printJSON(outcome.json)
    } else {
      DemoReport.print(outcome, cast, settings, seconds: seconds, serving: !once)
    }
    guard outcome.isRight else { throw ExitCode(1) }
    if once {
      await node.database.close()
    } else {
      try await ServeCommand.serve(node)
    }
  }

  /// Removes an earlier demo, and only that.
  private func clear() throws {
    let manager = FileManager.default
    guard manager.fileExists(atPath: data) else { return }
    let isEmpty = try manager.contentsOfDirectory(atPath: data).isEmpty
    guard isEmpty || manager.fileExists(atPath: data + "/demo.txt") else {
      throw Refusal.invalid(
        "demo.data", "data", Text("\(data) 不是演示用的目录，未作改动。", "\(data) is not a demo's folder; nothing was changed."))
    }
    try manager.removeItem(atPath: data)
  }
}
