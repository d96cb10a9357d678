import Kernel
import Storage

extension StorageError {
  /// What a person can wait for or have mended, in words; nil for a defect of ours.
  var forPeople: Refusal? {
    switch code {
    case .diskFull:
      Refusal(
        .unavailable, "storage.disk-full",
        Text(
          "服务器的数据盘已满，这次操作没有保存。请联系平台管理员清理磁盘后再试。",
          "The server's data disk is full, and this was not saved. Ask the platform's administrator to make room, then try again."
        ))
    case .unavailable, .timeout, .conflict:
      Refusal(
        .unavailable, "storage.unavailable",
        Text(
          "数据库暂时无法使用，这次操作可能没有保存。请稍后刷新查看。",
          "The database cannot be used at the moment, and this may not have been saved. Reload in a while to see."))
    case .migration:
      Refusal(
        .conflict, "storage.migration",
        Text(
          "数据库与本程序不符，未作任何改动。若数据库由更新的版本建立或升级过，请换用那个版本；若是新的数据库，请按 docs/operations.md 的要求建立。详情：",
          "The database does not fit this program, and nothing was changed. If a newer version made or migrated it, use that version; if it is a new one, make it as docs/operations.md says. In detail:"
        ))
    default: nil
    }
  }
}
