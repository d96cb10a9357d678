import Attachments
import Foundation
import Kernel
import NationalCrypto
import Storage
import TestKit
import Testing

@Suite struct AttachmentsTests {
  private func refused(
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Void
  ) async -> String? {
    do {
      try await body()
      return nil
    } catch { return (error as? Refusal)?.code ?? "\(error)" }
  }

  @Test(arguments: Engine.allCases)
  func `a file is kept once under its digest, however often and for whomever it is added`(engine: Engine) async throws {
    try await Shelf.with(engine) { shelf in
      let first = try await shelf.add(pdf, "依据.pdf")
      #expect(first.digest == SM3.hash(pdf).hex && first.size == pdf.count && first.kind == .pdf)
      #expect(try await shelf.add(pdf, "依据.pdf") == first)
      #expect(await refused { _ = try await shelf.add(pdf, "改了名.pdf") } == "attachments.same")
      _ = try await shelf.add(pdf, "依据.pdf", to: Shelf.other)
      #expect(shelf.files == ["\(first.digest.prefix(2))/\(first.digest)"])
      #expect(try await shelf.list() == [first])
      let (file, bytes) = try await shelf.attachments.bytes(first.id, of: Shelf.owner)
      #expect(file == first && bytes == pdf)
      #expect(await refused { _ = try await shelf.attachments.bytes(first.id, of: Shelf.other) } == "not-found")
    }
  }

  @Test func `the kind is told by the content`() async throws {
    try await Shelf.with(.sqlite) { shelf in
      let taken: [([UInt8], String, FileKind)] = [
        (pdf, "a.PDF", .pdf), (png, "a.png", .png), ([0xFF, 0xD8, 0xFF, 0xE0, 0], "a.jpeg", .jpg),
        (Array("第一条\n".utf8), "a.txt", .txt), ([0xB5, 0xDA, 0xD2, 0xBB, 0xCC, 0xF5], "gbk.txt", .txt),
        (try shelf.zip(["OFD.xml", "Doc_0/Document.xml"]), "a.ofd", .ofd),
        (try shelf.zip(["[Content_Types].xml", "word/document.xml"]), "a.docx", .docx),
        (try shelf.zip(["xl/workbook.xml"]), "a.xlsx", .xlsx),
      ]
      for (bytes, name, kind) in taken { #expect(try await shelf.add(bytes, name).kind == kind, "\(name)") }
      let before = shelf.files
      let turnedAway: [([UInt8], String, String)] = [
        ([], "a.pdf", "attachments.empty"), (Array("MZ\u{0}\u{1}".utf8), "a.pdf", "attachments.kind"),
        (pdf, "a.docx", "attachments.name"), (pdf, "a", "attachments.name"),
        (try shelf.zip(["x.exe"]), "a.zip", "attachments.kind"),
        (try shelf.zip(["x.exe"]), "a.docx", "attachments.kind"),
        (try shelf.zip(["word/document.xml", "word/vbaProject.bin"]), "a.docx", "attachments.macros"),
        (Array("a\u{0}b".utf8), "a.txt", "attachments.kind"), ([0x80, 0x81], "a.txt", "attachments.kind"),
        (Array(repeating: 65, count: (1 << 20) + 1), "a.txt", "attachments.size"), (pdf, "../..", "attachments.name"),
      ]
      for (bytes, name, code) in turnedAway {
        #expect(await refused { _ = try await shelf.add(bytes, name) } == code, "\(name)")
      }
      #expect(shelf.files == before, "what was refused left nothing")
    }
  }

  @Test func `a name is made fit to show and to save`() {
    let given: [(String, String)] = [
      ("C:\\Users\\张三\\依据.pdf", "依据.pdf"), ("../../etc/passwd", "passwd"), (".bashrc", "bashrc"),
      ("a\u{202E}fdp.exe", "afdp.exe"), ("a\nb\u{0}.txt", "ab.txt"), ("  x.pdf. ", "x.pdf"), ("<a>|b?.pdf", "ab.pdf"),
      (String(repeating: "长", count: 200) + ".pdf", String(repeating: "长", count: 116) + ".pdf"), ("/", ""),
    ]
    for (name, plain) in given { #expect(Attachment.plainName(name) == plain, "\(name)") }
  }

  @Test(arguments: Engine.allCases)
  func `a file that was changed or is gone is told and not given out`(engine: Engine) async throws {
    try await Shelf.with(engine) { shelf in
      let kept = try await shelf.add(pdf, "a.pdf")
      let place = AttachmentFolder(shelf.path).place(of: kept.digest)
      try Data("%PDF-1.7 another".utf8).write(to: URL(fileURLWithPath: place))
      #expect(
        await refused { _ = try await shelf.attachments.open(kept.id, of: Shelf.owner) } == "attachments.damaged")
      // Adding the same file once more mends it.
      _ = try await shelf.add(pdf, "a.pdf", to: Shelf.other)
      #expect(try await shelf.attachments.bytes(kept.id, of: Shelf.owner).bytes == pdf)
      try FileManager.default.removeItem(atPath: place)
      #expect(
        await refused { _ = try await shelf.attachments.open(kept.id, of: Shelf.owner) } == "attachments.missing")
    }
  }

  @Test(arguments: Engine.allCases)
  func `what belongs to nothing goes after a day, and what a killed upload left`(engine: Engine) async throws {
    try await Shelf.with(engine) { shelf in
      let (kept, orphan) = (try await shelf.add(pdf, "a.pdf"), try await shelf.add(png, "b.png"))
      try await shelf.attachments.remove(orphan.id, of: Shelf.owner) { _, _ in }
      let torn = shelf.path + "/incoming/torn.part"
      try Data([1, 2, 3]).write(to: URL(fileURLWithPath: torn))
      #expect(try await shelf.attachments.removeOrphans() == 0, "a day has not passed")
      #expect(shelf.files.count == 3)
      var later = shelf
      later.clock = Clock { Clock.system.now() + .seconds(25 * 3600) }
      let hold = try AttachmentFolder(shelf.path).hold(isExclusive: false)
      #expect(try await later.attachments.removeOrphans() == 0, "a backup is being made")
      if let hold { close(hold) }
      #expect(try await later.attachments.removeOrphans() == 1)
      #expect(shelf.files == ["\(kept.digest.prefix(2))/\(kept.digest)"])
    }
  }

  @Test func `what the owner refuses is not added`() async throws {
    try await Shelf.with(.sqlite) { shelf in
      let code = await refused {
        _ = try await shelf.attachments.add(
          .bytes(pdf), named: "a.pdf", note: "", to: Shelf.owner, by: Shelf.person
        ) { _, _ in throw Refusal.forbidden(Permission("thing.change")) }
      }
      #expect(code == "forbidden")
      let kept = try await shelf.list()
      #expect(kept == [])
    }
  }

  @Test func `an owner has no more than its twenty`() async throws {
    try await Shelf.with(.sqlite) { shelf in
      for number in 0..<Attachment.limits.ofOneOwner { _ = try await shelf.add(Array("第 \(number) 件".utf8), "a.txt") }
      #expect(await refused { _ = try await shelf.add(pdf, "a.pdf") } == "attachments.count")
    }
  }

  @Test func `a scanner's word holds, and without a verdict nothing is kept`() async throws {
    try await Shelf.with(.sqlite) { shelf in
      var shelf = shelf
      func command(_ script: String, limit: Duration = .seconds(20)) throws -> AttachmentScanner {
        let path = shelf.path + "-scanner-\(UUID().uuidString)"
        try Data("#!/bin/sh\n\(script)\n".utf8).write(to: URL(fileURLWithPath: path))
        chmod(path, 0o755)
        return .command(path, limit: limit)
      }
      shelf.scanner = try command("test -r \"$1\"")
      #expect(try await shelf.add(pdf, "a.pdf").scannedBy.contains("scanner"))
      shelf.scanner = try command("echo \"$1: Eicar-Test FOUND\"; exit 1")
      var said = ""
      do { _ = try await shelf.add(png, "b.png") } catch let refusal as Refusal { said = refusal.message.english }
      #expect(said == "Refused by the virus scanner: Eicar-Test FOUND")
      for scanner in [try command("exit 2"), try command("sleep 30", limit: .milliseconds(200)), .command("/no/such")] {
        shelf.scanner = scanner
        #expect(await refused { _ = try await shelf.add(png, "b.png") } == "attachments.scanner")
      }
      #expect(try await shelf.list().map(\.name) == ["a.pdf"])
      #expect(shelf.files.count == 1)
    }
  }

  @Test func `a full disk is said in words and leaves nothing`() async throws {
    try await Shelf.with(.sqlite) { shelf in
      try FileManager.default.createDirectory(atPath: shelf.path, withIntermediateDirectories: true)
      guard (try? Tool.run("/bin/mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", shelf.path])) != nil else {
        try Test.cancel("no right to mount a small disk")
      }
      defer { _ = try? Tool.run("/bin/umount", [shelf.path]) }
      let large = Array(repeating: UInt8(ascii: "a"), count: 200_000)
      #expect(await refused { _ = try await shelf.add(large, "a.txt") } == "attachments.disk-full")
      #expect(shelf.files == [])
      #expect(try await shelf.list() == [])
      _ = try await shelf.add(pdf, "a.pdf")
      #expect(shelf.files.count == 1)
    }
  }

  @Test func `a bundle is a zip that other programs read, names in Chinese with it`() async throws {
    try await withTemporaryFolder { folder in
      let path = folder + "/a.zip"
      let writer = try BundleWriter(path: path)
      try writer.add("目录表.html", Array("<p>表</p>".utf8), at: Instant("2026-08-20T01:00:00Z")!)
      try writer.add("attachments/1-依据.pdf", pdf, at: Instant("2026-08-20T01:00:00Z")!)
      #expect(!FileManager.default.fileExists(atPath: path))
      try writer.finish()
      let listed = try Tool.run(
        "/usr/bin/python3",
        [
          "-c",
          "import sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; print('|'.join(z.namelist()))",
          path,
        ])
      #expect(listed.trimmingCharacters(in: .whitespacesAndNewlines) == "目录表.html|attachments/1-依据.pdf")
    }
  }
}
