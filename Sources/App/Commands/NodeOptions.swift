import ArgumentParser
import Foundation
import Kernel

/// The flags every command on a node takes.
struct NodeOptions: ParsableArguments {
  @Option(help: "The settings file; sanjiang.yaml is read when it is there.")
  var config: String?

  @Option(help: "The data folder: keys and the default database.")
  var data: String?

  @Option(help: "sqlite:PATH or a postgres:// address.")
  var database: String?

  func settings(_ more: [String: String?] = [:]) throws -> Settings {
    try Settings(.init(flags: ["data": data, "database": database].merging(more) { _, given in given }, file: config))
  }
}
