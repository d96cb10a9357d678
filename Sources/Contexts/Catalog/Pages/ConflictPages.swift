internal import Kernel
internal import Web

/// What somebody else wrote in a draft while one's own form was open.
struct EditConflict: Sendable {
  /// Who saved last, where that is known, and when.
  var by: String?
  var at: Instant
  /// Field by field what the other changed, with what it is called.
  var changes: [(title: Text, change: DraftMerge.Change)]
  /// What one wrote for items that the other took out: it has no place any more, and is only shown.
  var lost: [Lost] = []

  struct Lost: Sendable {
    var name: String
    /// What its other fields say, each with what it is called.
    var mine: [(title: Text, field: String, value: String)]
  }
}

extension Fields {
  /// With the digests of these values, by which it is later known who changed what.
  func based(on names: [String]) -> Fields {
    Fields(pairs + [("base", DraftMerge.digests(of: values, in: names))])
  }

  /// The first value of each name, blanks at its ends left out as everywhere in forms; empty where it is blank.
  var values: [String: String] {
    Dictionary(pairs.map { ($0.name, self[$0.name] ?? "") }, uniquingKeysWith: { first, _ in first })
  }
}

/// Says what the other changed beside one's own, and that nothing typed is lost: the form below is the newest draft with
/// one's own changes in it. `words` says a field's value as people read it.
func conflictNote(_ t: Language, _ conflict: EditConflict, words: (String, String) -> String) -> HTML {
  let who = conflict.by ?? t("他人", "somebody else")
  let rows = conflict.changes.map { title, change in
    """
    <tr><th scope="row">\(t(title))</th><td>\(words(change.field, change.theirs))</td>\
    <td>\(words(change.field, change.mine))</td><td>\(change.isConflict
      ? badge(t("下面是您填写的，请核对", "yours stands below; please check"), .late)
      : badge(t("已采用对方的", "theirs is taken"), .neutral))</td></tr>
    """ as HTML
  }.joined()
  func written(_ item: EditConflict.Lost) -> String {
    item.mine.map { "\(t($0.title)) \(words($0.field, $0.value))" }.joined(separator: t.listing)
  }
  return """
    <div class="faults" role="alert" tabindex="-1"><h2>\(t("您填写期间，这条目录被修改了", "This entry was changed while you wrote"))</h2>\
    <p>\(who) \(time(conflict.at)) \(t("保存了修改。您填写的内容都保留在下面的表单里，尚未保存：请核对后再保存。", "saved a change. All you entered stands in the form below, not yet saved: check it and save again."))</p>\
    \(table(
      caption: t("对方修改的内容", "What was changed meanwhile"),
      head: [t("要素", "Element"), t("对方", "Theirs"), t("您", "Yours"), t("表单中", "In the form")], rows: rows,
      empty: "<p>\(t("对方没有修改您表单中的内容。", "Nothing in your form was changed."))</p>"))\
    \(when: !conflict.lost.isEmpty, """
      <p>\(t("对方移除了这些信息项，您对它们的填写不再有位置：", "These items were taken out; what you entered for them has no place any more:"))</p>\
      <ul>\(conflict.lost, { "<li>\($0.name)\(t.colon)\(written($0))</li>" })</ul>
      """)</div>
    """
}
