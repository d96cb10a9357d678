import Catalog
import Foundation
import Identity
import Kernel
import Spreadsheets
import Storage
import TestKit
import Testing

@testable import App

/// Files as they come at their worst, against `sanjiang serve` in a process of its own: too large, on a full disk, cut off
/// by a kill, and as large as they may be.
@Suite(.serialized) struct UploadFaultTests {
  /// `sanjiang serve` on a node in a folder.
  private struct Serving {
    var program: Program
    var base: String
    var folder: String
    var uploads: String { folder + "/uploads" }

    /// Starts it and waits until it answers.
    static func start(in folder: String) async throws -> Serving {
      let program = try Program(
        ["serve", "--data", folder, "--database", "sqlite:\(folder)/node.sqlite", "--port", "0"], in: folder)
      for _ in 0..<600 {
        if let line = program.complainedSoFar.split(separator: "\n").first(where: { $0.hasPrefix("ready ") }) {
          return Serving(program: program, base: "http://127.0.0.1:\(line.dropFirst(6))", folder: folder)
        }
        try await Task.sleep(for: .milliseconds(50))
      }
      program.signal(SIGKILL)
      throw Refusal(.unavailable, "test.serve", Text(same: program.complainedSoFar))
    }

    func end(_ signal: Int32 = SIGTERM) throws {
      program.signal(signal)
      _ = try program.wait()
    }

    /// Its size now, or at its largest, in MiB.
    func memory(_ name: String = "VmHWM") throws -> Int {
      let status = try String(contentsOfFile: "/proc/\(program.id)/status", encoding: .utf8)
      let line = status.split(separator: "\n").first { $0.hasPrefix(name + ":") }
      return (line?.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) } ?? -1024) / 1024
    }

    func files() -> [String] { (try? FileManager.default.contentsOfDirectory(atPath: uploads)) ?? [] }

    func officer() async throws -> Visitor {
      let visitor = Visitor(base: base)
      let answer = try await visitor.post(
        "/sign-in", [("login", "ma.officer"), ("password", DemoCast.password), ("next", "/")], from: "/sign-in")
      #expect(answer.status == 303)
      return visitor
    }
  }

  private func withNodeFolder(_ body: (String) async throws -> Void) async throws {
    try await withTemporaryFolder { folder in
      let settings = try Settings(
        .init(flags: ["data": folder, "database": "sqlite:\(folder)/node.sqlite", "port": "0"]))
      _ = try await InitCommand.make(settings, clock: .system)
      let node = try await Node.open(settings)
      _ = try await DemoCast.make(on: node)
      await node.close()
      try await body(folder)
    }
  }

  private func serving(_ folder: String, _ body: (Serving) async throws -> Void) async throws {
    let site = try await Serving.start(in: folder)
    do { try await body(site) } catch {
      try? site.end(SIGKILL)
      throw error
    }
    try site.end()
  }

  /// Sends on a thread of its own: the test's pool has other things to do.
  private func send(_ upload: BigUpload) async -> String {
    await withCheckedContinuation { done in
      Thread.detachNewThread { done.resume(returning: upload.send()) }
    }
  }

  @Test func `500 MB are refused in words to who sends all of them, in the memory of any other request`() async throws {
    try await withNodeFolder { folder in
      try await serving(folder) { site in
        let officer = try await site.officer()
        _ = try await officer.get("/catalog/import")
        let before = try site.memory()
        for isDeclared in [true, false] {
          let answer = await send(try await .workbook(officer, bytes: 500 << 20, isDeclared: isDeclared))
          #expect(answer.hasPrefix("HTTP/1.1 413") && answer.contains("提交的内容超过上限 100 MiB"), "\(answer.prefix(300))")
          #expect(site.files() == [])
        }
        let grown = try site.memory() - before
        #expect(grown < 48, "\(grown) MiB more than before")
        #expect(try await officer.get("/catalog/import").status == 200)
      }
    }
  }

  @Test func `500 MB to the interface are refused with a problem, in the memory of what it takes`() async throws {
    try await withNodeFolder { folder in
      try await serving(folder) { site in
        let officer = try await site.officer()
        let me = try await officer.get("/api/v1/me").text
        let csrf = me.components(separatedBy: "\"csrfToken\":\"").last?.prefix { $0 != "\"" } ?? ""
        let before = try site.memory()
        for isDeclared in [true, false] {
          let upload = BigUpload(
            port: URL(string: site.base)!.port!, path: "/api/v1/catalog/resources",
            headers: [
              ("Content-Type", "application/json"), ("Cookie", officer.cookieHeader), ("X-CSRF-Token", String(csrf)),
            ], opening: [0x5B], closing: [0x5D], filling: 500 << 20, isDeclared: isDeclared)
          let answer = await send(upload)
          #expect(answer.hasPrefix("HTTP/1.1 413") && answer.contains("request.too-large"), "\(answer.prefix(300))")
        }
        let grown = try site.memory() - before
        #expect(grown < 200, "\(grown) MiB more than before")
      }
    }
  }

  @Test(.enabled(if: geteuid() == 0, "mounting a small disk needs root"))
  func `a full disk is told in words, leaves nothing, and the next upload goes through when there is room`()
    async throws
  {
    try await withNodeFolder { folder in
      let uploads = folder + "/uploads"
      try FileManager.default.createDirectory(atPath: uploads, withIntermediateDirectories: true)
      guard (try? Tool.run("/bin/mount", ["-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", uploads])) != nil else {
        try Test.cancel("no right to mount a small disk")
      }
      defer { _ = try? Tool.run("/bin/umount", ["-l", uploads]) }
      try await serving(folder) { site in
        let officer = try await site.officer()
        let answer = await send(try await .workbook(officer, bytes: 20 << 20))
        #expect(answer.hasPrefix("HTTP/1.1 507") && answer.contains("服务器磁盘已满"), "\(answer.prefix(300))")
        #expect(site.files() == [])
        // Not a byte is left, whatever else lies there.
        try Data(count: 1 << 20).write(to: URL(fileURLWithPath: uploads + "/else"))
        let full = await send(try await .workbook(officer, bytes: 10_000))
        #expect(full.hasPrefix("HTTP/1.1 507") && site.files() == ["else"], "\(full.prefix(300))")
        try FileManager.default.removeItem(atPath: uploads + "/else")
        let next = await send(try await .workbook(officer, bytes: 10_000))
        #expect(
          next.hasPrefix("HTTP/1.1 422") && next.contains("class=\"faults\""),
          "read, and no workbook: \(next.prefix(300))")
        #expect(site.files() == [])
      }
    }
  }

  @Test func `what a killed server had taken in is gone when the next one answers`() async throws {
    try await withNodeFolder { folder in
      let site = try await Serving.start(in: folder)
      let officer = try await site.officer()
      var upload = try await BigUpload.workbook(officer, bytes: 64 << 20)
      upload.pause = 4
      async let answer = send(upload)
      for _ in 0..<200 where site.files().isEmpty { try await Task.sleep(for: .milliseconds(20)) }
      try site.end(SIGKILL)
      let left = site.files()
      #expect(await answer.isEmpty)
      #expect(left.count == 1, "the kill came while a file was coming in")
      try await serving(folder) { site in
        #expect(site.files() == [])
        let officer = try await site.officer()
        #expect(try await officer.get("/catalog/import").status == 200)
      }
    }
  }
}
