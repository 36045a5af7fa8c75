use super::*;

/// The smallest ELF file with one segment of this type for this machine.
fn elf(machine: u16, segment: u32) -> Vec<u8> {
    let mut file = vec![0; 64 + 56];
    file[..8].copy_from_slice(b"\x7fELF\x02\x01\x01\x00");
    file[16..18].copy_from_slice(&elf::ET_EXEC.to_le_bytes());
    file[18..20].copy_from_slice(&machine.to_le_bytes());
    file[20..24].copy_from_slice(&1u32.to_le_bytes());
    file[32..40].copy_from_slice(&64u64.to_le_bytes());
    file[52..54].copy_from_slice(&64u16.to_le_bytes());
    file[54..56].copy_from_slice(&56u16.to_le_bytes());
    file[56..58].copy_from_slice(&1u16.to_le_bytes());
    file[64..68].copy_from_slice(&segment.to_le_bytes());
    file
}

fn read(bytes: &[u8]) -> Result<Program> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("program");
    std::fs::write(&path, bytes).unwrap();
    Program::read(&path)
}

#[test]
fn a_static_program_tells_its_processor() {
    let architecture = |machine| read(&elf(machine, elf::PT_LOAD)).unwrap().architecture();
    assert_eq!(architecture(elf::EM_X86_64), Architecture::Amd64);
    assert_eq!(architecture(elf::EM_AARCH64), Architecture::Arm64);
}

#[test]
fn what_would_not_run_in_an_empty_root_is_refused() {
    let refused = |bytes: &[u8]| match read(bytes) {
        Err(Error::Program { why, .. }) => why,
        other => panic!("{other:?}"),
    };
    assert!(refused(&elf(elf::EM_X86_64, elf::PT_INTERP)).contains("loader"));
    assert!(refused(&elf(elf::EM_RISCV, elf::PT_LOAD)).contains("processor"));
    assert!(refused(b"#!/bin/sh\n").contains("ELF"));
    assert!(refused(b"").contains("ELF"));
    assert!(refused(&elf(elf::EM_X86_64, elf::PT_LOAD)[..80]).contains("cut off"));
    // This test itself is linked to the C library.
    let dynamic = Program::read(&std::env::current_exe().unwrap());
    assert!(dynamic.unwrap_err().to_string().ends_with("loader and shared libraries"));
}

#[test]
fn an_image_runs_the_first_of_its_programs() {
    let directory = tempfile::tempdir().unwrap();
    let program = |name: &str, machine| {
        let path = directory.path().join(name);
        std::fs::write(&path, elf(machine, elf::PT_LOAD)).unwrap();
        Program::read(&path).unwrap()
    };
    let (one, two) = (program("one", elf::EM_AARCH64), program("two", elf::EM_AARCH64));
    let name: Name = "a:1".parse().unwrap();
    for (place, entrypoint) in [("/", "/one"), ("/bin", "/bin/one")] {
        let image = static_programs(name.clone(), place, &[one.clone(), two.clone()]).unwrap();
        assert_eq!(image.entrypoint, [entrypoint]);
        assert_eq!(image.architecture, Architecture::Arm64);
        let files: Vec<String> = image.layers[0].described().map(|(about, _)| about).collect();
        assert_eq!(files[0], format!("file 755 {entrypoint}"));
        assert_eq!(files.len(), 2);
    }
    let other = program("three", elf::EM_X86_64);
    for wrong in [&[][..], &[one.clone(), other], &[one.clone(), one]] {
        assert!(static_programs(name.clone(), "/", wrong).is_err());
    }
}
