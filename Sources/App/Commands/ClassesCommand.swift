import ArgumentParser
import Catalog
import Foundation
import Kernel
import Storage
import Web

/// The classes that a platform keeps beside the national ones.
struct ClassesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "classes", abstract: "The local classes of the catalogue.", subcommands: [Import.self])

  struct Import: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Take local classes from a file: all of it, or nothing.",
      discussion: """
        FILE is CSV in UTF-8: code,parent,name,valid_from,valid_to,national,used_by,successor, parents before children. A \
        code is its parent's and 2 or 3 digits more; a tree of its own begins with 2 to 8 small letters. A line with \
        valid_to retires the class from that day; one without leaves a retired class retired, and says so. Each code stands \
        once. The same file again changes nothing.
        """)

    @OptionGroup var options: NodeOptions
    @Argument(help: "The file with the classes.") var file: String
    @Flag(help: "Print one JSON object.") var json = false

    func run() async throws {
      let bytes = try Self.read(file)
      let node = try await Node.open(try options.settings())
      let report: ClassImportReport
      do { report = try await node.cataloguing.importClasses(bytes) } catch {
        await node.database.close()
        throw error
      }
      await node.close()
      if json {
        Terminal.printJSON([
          ("added", JSON(report.added)), ("changed", JSON(report.changed)), ("retired", JSON(report.retired)),
          ("same", JSON(report.same)),
          ("stayRetired", .array(report.stayEnded.map(Self.json))),
          ("leavesEntries", .array(report.leavesEntries.map(Self.json))),
        ])
      } else {
        for ended in report.stayEnded {
          Terminal.print(
            Terminal.language(
              "第 \(ended.line) 行：\(ended.code) 自 \(ended.on) 起停用，本行没有 valid_to，仍为停用；停用的分类不能恢复，请另设代码。",
              "Line \(ended.line): \(ended.code) is retired from \(ended.on) on and stays so, though the line has no valid_to; a retired class does not come back, take another code."
            ))
        }
        for ended in report.leavesEntries {
          Terminal.print(
            Terminal.language(
              "第 \(ended.line) 行：\(ended.code) 自 \(ended.on) 起停用，没有后继，其中的目录由各单位逐条另选分类。",
              "Line \(ended.line): \(ended.code) is retired from \(ended.on) on without successor; the departments of its entries choose another class for each."
            ))
        }
        Terminal.print(
          Terminal.language(
            "新增 \(report.added) 个、变更 \(report.changed) 个、停用 \(report.retired) 个，\(report.same) 个没有变化。",
            "\(report.added) added, \(report.changed) changed, \(report.retired) retired, \(report.same) as before."))
      }
    }

    private static func json(_ ended: ClassImportReport.Ended) -> JSON {
      ["line": JSON(ended.line), "code": .string(ended.code), "on": .string("\(ended.on)")]
    }

    /// No more than a tree can have is read, whatever the file is.
    private static func read(_ path: String) throws -> [UInt8] {
      guard let handle = FileHandle(forReadingAtPath: path),
        let data = try? handle.read(upToCount: Cataloguing.classFileLimit + 1) ?? Data()
      else {
        throw Refusal.invalid("catalog.class.file", "file", Text("读不到文件 \(path)。", "Cannot read the file \(path)."))
      }
      try? handle.close()
      return Array(data)
    }
  }
}
