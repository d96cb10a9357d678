import Foundation
import Kernel
import StoragePostgres

/// `pg_dump` and `pg_restore`, run so that nobody but their own user sees the database's password.
enum PostgresTool {
  static func run(_ tool: String, _ arguments: [String], on address: String) throws {
    let (shown, environment) = try PostgresAddress(address).forTools()
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [tool, "--no-password", "--dbname=\(shown)"] + arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, given in given }
    let complaints = Pipe()
    process.standardError = complaints
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let said = String(decoding: complaints.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      if process.terminationStatus == 127 {
        throw Refusal(
          .unavailable, "backup.\(tool)",
          Text(
            "没有安装 \(tool)：apt-get install postgresql-client。", "There is no \(tool): apt-get install postgresql-client."
          ))
      }
      let line = said.split(separator: "\n").first.map(String.init) ?? "\(process.terminationStatus)"
      throw Refusal(.unavailable, "backup.\(tool)", Text("\(tool) 失败：\(line)", "\(tool) failed: \(line)"))
    }
  }
}
