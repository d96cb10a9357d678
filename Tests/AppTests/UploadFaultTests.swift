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

  @Test func `a workbook as large as one may be is imported in the memory of what it says`() async throws {
    try await withNodeFolder { folder in
      let path = try fullWorkbook(in: folder, mebibytes: 98)
      try await serving(folder) { site in
        let officer = try await site.officer()
        _ = try await officer.get("/catalog/import")
        let before = try site.memory()
        var upload = try await BigUpload.workbook(officer, bytes: 0)
        upload.opening += [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        #expect(upload.opening.count > 98 << 20 && upload.opening.count < 100 << 20)
        let answer = await send(upload)
        #expect(answer.hasPrefix("HTTP/1.1 303"), "\(answer.prefix(300))")
        let grown = try site.memory() - before
        #expect(grown < 64, "\(grown) MiB more than before")
        #expect(try await officer.get("/catalog/work").text.contains("市场主体年报信息"))
        #expect(site.files() == [])
      }
    }
  }

  /// A sound workbook of one entry, its sheet filled up with blanks that are not packed.
  private func fullWorkbook(in folder: String, mebibytes: Int) throws -> String {
    let (small, large) = ("\(folder)/small.xlsx", "\(folder)/large.xlsx")
    let writer = try WorkbookWriter(path: small)
    let rows: [(sheet: String, cells: [(String, String)])] = [
      (
        "信息资源目录",
        [
          ("信息资源名称", "市场主体年报信息"), ("信息资源分类", "3070120302"), ("信息资源摘要", "全省市场主体每年报送的年度报告的主要内容。"),
          ("信息资源格式", "0203"), ("共享类型", "有条件共享"), ("共享条件或不予共享依据", "用于核对市场主体状态。"), ("共享方式分类", "1"),
          ("共享方式类型", "2"), ("开放属性", "3"), ("更新周期", "1"), ("涉密属性", "0"), ("层级", "2"),
        ]
      ),
      (
        "信息项",
        [
          ("所属信息资源名称", "市场主体年报信息"), ("信息项名称", "名称"), ("技术名称", "name"), ("数据类型", "C"), ("长度", "100"),
          ("分级", "2"),
        ]
      ),
    ]
    for (sheet, cells) in rows {
      let written = try writer.addSheet(SheetPlan(sheet, cells.map { SheetColumn($0.0) }))
      try written.append(cells.map { .text($0.1) })
    }
    try writer.finish()
    let script = """
      import sys, zipfile
      small, large = zipfile.ZipFile(sys.argv[1]), zipfile.ZipFile(sys.argv[2], "w", zipfile.ZIP_STORED)
      for name in small.namelist():
          part = small.read(name)
          if name == "xl/worksheets/sheet1.xml":
              part = part.replace(b"</sheetData>", b" " * (int(sys.argv[3]) << 20) + b"</sheetData>")
          large.writestr(name, part)
      large.close()
      """
    _ = try Tool.run("/usr/bin/env", ["python3", "-c", script, small, large, String(mebibytes)])
    return large
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
