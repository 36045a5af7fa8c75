//! Log records in OTLP to logproto.PushRequest. Pure.
pub struct Translator;
pub struct Push {
    pub tenant: Option<String>,
    pub bytes: Vec<u8>,
    pub records: usize,
}
pub struct Translated {
    pub pushes: Vec<Push>,
    pub untranslatable: u64,
    pub cut_lines: u64,
}
impl Translator {
    pub fn new(_: &obspipe_model::components::loki::Loki) -> Self {
        Self
    }
    pub fn translate<'a>(&self, _: impl IntoIterator<Item = &'a [u8]>, _: u64) -> Translated {
        Translated { pushes: vec![], untranslatable: 0, cut_lines: 0 }
    }
}
pub fn halve(_: &Push) -> Option<(Push, Push)> {
    None
}
