import ArgumentParser
import Kernel
import Storage
import Supervision
import Web

struct SupervisionCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "supervision", abstract: "What the departments have, lack and share.", subcommands: [PrintMatrix.self])

  struct PrintMatrix: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "matrix",
      abstract: "Systems, entries, mounts, grants and deliveries by department, as they were last counted.")

    @OptionGroup var options: NodeOptions
    @Flag(help: "Count anew first.") var refresh = false
    @Flag(help: "Also departments that have nothing.") var empty = false
    @Flag(help: "Print one JSON object.") var json = false

    func run() async throws {
      let node = try await Node.open(try options.settings())
      do {
        if refresh { try await node.supervision.refresh() }
        var query = MatrixQuery()
        query.withEmpty = empty
        query.limit = 20_000
        let matrix = try await node.supervision.matrix(query, for: .system())
        await node.close()
        if json {
          Terminal.print(MatrixText.json(matrix, node.supervision.measures).text)
        } else {
          for line in MatrixText.lines(matrix, node.supervision.measures, Terminal.language) { Terminal.print(line) }
        }
      } catch {
        await node.database.close()
        throw error
      }
    }
  }
}
