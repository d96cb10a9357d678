import Catalog
import Foundation
import Kernel
import Mounting
import Storage
import TestKit
import Testing

@testable import App

/// Mounts of file sets on a real folder.
@Suite struct MountedFilesTests {
  @Test(arguments: Engine.allCases)
  func `files that are there, gone, and there again are found so, and search and inbox follow`(
    engine: Engine
  ) async throws {
    try await withMountStage(engine) { stage in
      let day = stage.node.clock.now()
      let tie = try await stage.node.mounting.tie(
        stage.cast.officer, stage.resource.id, to: .files(stage.source, pattern: "名单-*.csv"))
      #expect(tie.state == .declared && tie.isInForce)
      let empty = try #require(try await stage.test())
      #expect(empty.state == .failing && empty.fault?.code == "mounting.no-file")
      #expect(empty.fault?.words.chinese == "没有符合“名单-*.csv”的文件。")
      #expect(try await stage.tasks() == ["mounting.fail"])
      #expect(try await stage.found(mounted: true) == 0)
      #expect(try await stage.found(mounted: false) == 1)

      try stage.write("名单-1.csv", "企业名称\n甲\n", at: day)
      try stage.write("其他.csv", "x\n", at: day)
      let there = try #require(try await stage.test())
      #expect(there.state == .mounted && there.fault == nil && there.timeliness == .timely)
      #expect(try await stage.tasks() == [])
      #expect(try await stage.found(mounted: true, .current) == 1)

      try FileManager.default.removeItem(atPath: stage.folder + "/名单-1.csv")
      let gone = try #require(try await stage.test())
      #expect(gone.state == .failing && gone.fault?.code == "mounting.no-file" && gone.since >= there.since)
      #expect(try await stage.tasks() == ["mounting.fail"])
      #expect(try await stage.found(mounted: true) == 0)

      // The folder itself gone, then all back: the sweep heals it by itself.
      try FileManager.default.moveItem(atPath: stage.folder, toPath: stage.folder + ".away")
      #expect(try await stage.test()?.fault?.code == "mounting.folder")
      try FileManager.default.moveItem(atPath: stage.folder + ".away", toPath: stage.folder)
      try stage.write("名单-2.csv", "企业名称\n乙\n", at: day)
      stage.clock.advance(by: .seconds(4 * 3600 + 1))
      #expect(try await stage.node.mounting.sweep() == 1)
      #expect(try await stage.tie()?.state == .mounted)
      #expect(try await stage.tasks() == [])
    }
  }

  @Test(arguments: Engine.allCases)
  func `an update is a new content with its own time: neither a touch nor an older date alone is one`(
    engine: Engine
  ) async throws {
    try await withMountStage(engine, cycle: "6") { stage in
      let now = stage.node.clock.now()
      func days(_ count: Int) -> Instant { now - .seconds(count * 86_400) }
      _ = try await stage.node.mounting.tie(
        stage.cast.officer, stage.resource.id, to: .files(stage.source, pattern: "*.csv"))
      try stage.write("a.csv", "甲\n", at: days(40))
      let old = try #require(try await stage.test())
      #expect(old.state == .mounted && old.timeliness == .late, "forty days old, to be renewed within ten")
      #expect(old.watch.changedAt.map { abs($0.milliseconds - days(40).milliseconds) < 1000 } == true)
      #expect(try await stage.tasks() == ["mounting.late"])
      #expect(try await stage.found(mounted: true, .late) == 1)

      // Touched, and not a byte of it changed.
      try stage.write("a.csv", "甲\n", at: days(1))
      #expect(try await stage.test()?.timeliness == .late)

      // Replaced by a newer one under the same name.
      try stage.write("a.csv", "乙\n", at: days(2))
      let renewed = try #require(try await stage.test())
      #expect(renewed.timeliness == .timely && renewed.state == .mounted)
      #expect(renewed.watch.changedAt.map { abs($0.milliseconds - days(2).milliseconds) < 1000 } == true)
      #expect(try await stage.tasks() == [])
      #expect(try await stage.found(mounted: true, .current) == 1)

      // A further file beside it: the newest of the set counts.
      try stage.write("b.csv", "丙\n", at: days(1))
      let more = try #require(try await stage.test())
      #expect(more.watch.changedAt.map { abs($0.milliseconds - days(1).milliseconds) < 1000 } == true)
      #expect(try #require(more.timelyUntil) >= #require(renewed.timelyUntil))
    }
  }

  @Test func `a link out of the folder, a folder below and a pattern that leads elsewhere hold nothing`() async throws {
    try await withMountStage(.sqlite) { stage in
      let (mounting, officer, id) = (stage.node.mounting, stage.cast.officer, stage.resource.id)
      for pattern in ["../*", "a/*.csv", "/etc/passwd", "", ".*", "a\nb"] {
        await #expect(throws: Refusal.self, "\(pattern)") {
          _ = try await mounting.tie(officer, id, to: .files(stage.source, pattern: pattern))
        }
      }
      _ = try await mounting.tie(officer, id, to: .files(stage.source, pattern: "*"))
      try FileManager.default.createDirectory(atPath: stage.folder + "/below", withIntermediateDirectories: false)
      #expect(try await stage.test()?.fault?.code == "mounting.no-file")
      try FileManager.default.createSymbolicLink(
        atPath: stage.folder + "/out.csv", withDestinationPath: "/etc/passwd")
      #expect(try await stage.test()?.fault?.code == "mounting.file")
    }
  }
}
