internal import Kernel

/// What an element is called and how it is filled in: one wording for the forms and for the workbook.
struct ElementWords: Sendable {
  var title: Text
  var hint: Text

  init(_ title: Text, _ hint: Text = Text("", "")) {
    self.title = title
    self.hint = hint
  }

  static let name = ElementWords(
    Text("信息资源名称", "Name"),
    Text(
      "描述数据内容，不用系统名或表名；本单位内不重名。", "Says what the data is, not a system's or table's name; unique in the organisation."))
  static let classes = ElementWords(
    Text("信息资源分类", "Classes"),
    Text(
      "国家或本地分类的代码，主分类在前，以空格分隔，最多 \(Metadata.limits.classes) 个，如 3070120337 203。",
      "Codes of the national or local classification, the primary one first, separated by blanks, at most \(Metadata.limits.classes), such as 3070120337 203."
    ))
  static let abstract = ElementWords(
    Text("信息资源摘要", "Abstract"),
    Text("有哪些数据、范围多大、从何而来，让别的部门看得懂。", "Which data, of which range, from where: so that others understand."))
  static let system = ElementWords(Text("所属信息系统", "Information system"))
  static let format = ElementWords(Text("信息资源格式", "Format"))
  static let sharingType = ElementWords(
    Text("共享类型", "Sharing"),
    Text(
      "以共享为原则、不共享为例外。无条件：所有政务部门可用；有条件：相关部门或部分内容；不予共享须有依据。",
      "Sharing is the rule. Unconditional: for every department; conditional: for some, or in part; not sharing needs a basis."
    ))
  static let sharingCondition = ElementWords(
    Text("共享条件或不予共享依据", "Condition, or basis of refusal"),
    Text(
      "有条件共享写明条件和使用范围；不予共享写明法律法规名称和条款。",
      "The condition and range of use; or the law and article that forbids sharing."))
  static let methodClass = ElementWords(Text("共享方式分类", "Method"))
  static let methodType = ElementWords(
    Text("共享方式类型", "Kind of method"),
    Text("文件类资源以文件共享，数据库以数据库或接口共享。", "Files as files; databases as tables or interfaces."))
  static let openType = ElementWords(Text("开放属性", "Openness"))
  static let openCondition = ElementWords(Text("开放条件", "Condition of opening"))
  static let cycle = ElementWords(
    Text("更新周期", "Update cycle"),
    Text("按真实更新填写；超过周期未更新会被提示。", "As it really is; what is not updated in time is shown as stale."))
  static let related = ElementWords(
    Text("关联资源代码", "Related codes"),
    Text(
      "已发布目录的代码，以空格分隔，如 3070120337/000001。",
      "Codes of published entries, separated by blanks, such as 3070120337/000001."))
  static let secrecy = ElementWords(
    Text("涉密属性", "Secrecy"), Text("涉密资源不得在本网登记。", "Secret resources must not be registered on this network."))
  static let level = ElementWords(Text("层级", "Level"))
}
