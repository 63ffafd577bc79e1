//! A system that refuses: full disks, folders without permission, outputs that are no files, a reader that has gone, files
//! whose headers claim the impossible. One line of reason, status 1, and nothing of the user's lost.

use crate::help::{bad, files, folder, good, recluster, write};
use std::fs::{File, Permissions};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

const FIT: &str = "fit --data digits --rows 150 --rounds 2 --embedder pca --depth 1 --out out";

fn command(at: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_recluster"));
    command.current_dir(at).args(line.split_whitespace());
    command
}

/// Runs the program under limits of the shell, such as `ulimit -f 8`.
fn limited(at: &Path, limits: &str, line: &str) -> Output {
    let script = format!("{limits}; exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.current_dir(at).args(["-c", &script, env!("CARGO_BIN_EXE_recluster")]).args(line.split_whitespace());
    command.output().unwrap()
}

/// Status 1, one line on stderr that has these words, nothing on stdout.
fn refused(output: &Output, words: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(output.stdout.is_empty());
    assert!(said.starts_with("recluster: ") && said.trim_end().lines().count() == 1 && said.contains(words), "{said}");
}

fn numbers(at: &Path) {
    write(at, "ok.csv", (0..60).fold("a,b\n".to_string(), |text, i| text + &format!("{},{}\n", i % 7, i % 5)));
    write(at, "l.csv", (0..60).fold("l\n".to_string(), |text, i| text + &format!("{}\n", i % 2)));
}

/// No file may grow beyond 4 KiB: what a full disk does in the middle of a write.
#[test]
fn a_write_that_fails_in_the_middle_leaves_nothing() {
    let tmp = folder();
    let at = tmp.path();
    numbers(at);
    write(at, "old.npy", "the user's own");
    let before = files(at);
    let limits = "trap '' XFSZ; ulimit -f 4";
    for (line, words) in [
        (FIT, "out/"),
        ("embed --data digits --rows 900 --method pca --out old.npy", "old.npy"),
        ("boost --data digits --labels digits --rows 300 --rounds 9 --out m.json --xgboost-out x", "m.json"),
    ] {
        refused(&limited(at, limits, line), words);
        assert_eq!(files(at), before, "{line} left something behind");
        assert_eq!(std::fs::read_to_string(at.join("old.npy")).unwrap(), "the user's own");
    }
}

#[test]
fn a_full_disk_leaves_nothing() {
    let tmp = folder();
    let at = tmp.path();
    let small = at.join("small");
    std::fs::create_dir(&small).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(&small).output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        eprintln!("no small disk can be mounted here: a full one is not tried");
        return;
    }
    write(&small, "notes.txt", "the user's own");
    let line = FIT.replace("--out out", "--out small/out");
    let (first, left) = (recluster(at, &line), files(&small));
    // A folder that was there stays, with what was in it.
    std::fs::create_dir(small.join("out")).unwrap();
    std::fs::write(small.join("out/report.html"), "of an earlier fit").unwrap();
    let second = recluster(at, &line);
    let (again, report) = (files(&small.join("out")), std::fs::read_to_string(small.join("out/report.html")));
    assert!(Command::new("umount").arg(&small).status().unwrap().success());
    refused(&first, "No space left");
    assert_eq!(left, [small.join("notes.txt")]);
    refused(&second, "No space left");
    assert_eq!((again, report.unwrap().as_str()), (vec![small.join("out/report.html")], "of an earlier fit"));
}

/// Results or reasons that cannot be written end the program as any other fault, also where it is stderr that is full.
#[test]
fn full_streams_are_no_panic() {
    let tmp = folder();
    let at = tmp.path();
    numbers(at);
    write(at, "large.csv", "a,b\n16777217,1\n2,3\n4,5\n");
    let full = || Stdio::from(File::options().write(true).open("/dev/full").unwrap());
    for line in ["embed --data ok.csv --method pca --out o.npy", "kinds --data ok.csv", "text"] {
        let output = command(at, line).stdout(full()).output().unwrap();
        refused(&output, "stdout: No space left");
    }
    // A note that nobody reads is no reason to stop; a reason that nobody reads has its status.
    let status = |line: &str| command(at, line).stderr(full()).stdout(Stdio::null()).status().unwrap().code();
    assert_eq!(status("embed --data large.csv --method pca --components 1 --out large.npy"), Some(0));
    assert!(at.join("large.npy").exists());
    assert_eq!(status("embed --data none.csv --out o.npy"), Some(1));
}

/// A folder without permission to write; as root the program runs as nobody.
#[test]
fn without_permission_nothing_is_written() {
    let tmp = folder();
    let at = tmp.path();
    numbers(at);
    let locked = at.join("locked");
    std::fs::create_dir(&locked).unwrap();
    write(&locked, "secret.csv", "a\n1\n");
    std::fs::set_permissions(at, Permissions::from_mode(0o755)).unwrap();
    std::fs::set_permissions(locked.join("secret.csv"), Permissions::from_mode(0o000)).unwrap();
    std::fs::set_permissions(&locked, Permissions::from_mode(0o555)).unwrap();
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    let run = |line: &str| {
        let mut command = command(at, line);
        if is_root {
            command.uid(65534).gid(65534);
        }
        command.output()
    };
    if !run("--version").is_ok_and(|output| output.status.success()) {
        eprintln!("root cannot run the program as nobody from where it is built: permissions are not tried");
        return;
    }
    let before = files(at);
    for (line, words) in [
        ("embed --data ok.csv --method pca --out locked/o.npy", "locked/o.npy: Permission denied"),
        ("fit --data ok.csv --embedder pca --rounds 2 --depth 1 --out locked/out", "locked/out: Permission denied"),
        ("embed --data locked/secret.csv --out locked/o.npy", "secret.csv: Permission denied"),
        ("kinds --data locked/secret.csv", "secret.csv: Permission denied"),
    ] {
        refused(&run(line).unwrap(), words);
        assert_eq!(files(at), before, "{line} left something behind");
    }
    std::fs::set_permissions(&locked, Permissions::from_mode(0o755)).unwrap();
}

/// A fit writes its own names into a folder of the user's, and nothing else there changes.
#[test]
fn a_folder_with_files_of_its_own_keeps_them() {
    let tmp = folder();
    let at = tmp.path();
    std::fs::create_dir_all(at.join("out/data")).unwrap();
    let own = ["out/notes.txt", "out/data/rows.csv", "out/report", "out/model.json.bak", "out/1.tmp"];
    own.iter().for_each(|name| write(at, name, *name));
    good(at, FIT);
    own.iter().for_each(|name| assert_eq!(std::fs::read_to_string(at.join(name)).unwrap(), *name));
    let ours = [
        "assignments.csv",
        "model.json",
        "names.csv",
        "report.html",
        "report.json",
        "report.md",
        "rules.csv",
        "tree.json",
    ];
    let mut expected: Vec<_> = ours.iter().map(|name| at.join("out").join(name)).collect();
    expected.extend(own.iter().map(|name| at.join(name)));
    expected.push(at.join("out/data"));
    expected.sort();
    assert_eq!(files(&at.join("out")), expected);
}

/// Files are written beside their names and renamed: that must not put a file in the place of a folder or of a device.
#[test]
fn what_is_no_file_is_not_replaced() {
    let tmp = folder();
    let at = tmp.path();
    numbers(at);
    assert!(Command::new("mkfifo").arg(at.join("pipe")).status().unwrap().success());
    for line in
        ["embed --data ok.csv --method pca --out pipe", "boost --data ok.csv --labels l.csv --out pipe --rounds 2"]
    {
        assert!(bad(at, line, 1).contains("pipe: is a device or a pipe"), "{line}");
    }
    // Of all the files that a fit writes one cannot be: then none is.
    std::fs::create_dir_all(at.join("out/tree.json")).unwrap();
    assert!(bad(at, FIT, 1).contains("out/tree.json: is no file"));
    std::fs::remove_dir(at.join("out/tree.json")).unwrap();
    assert!(Command::new("mkfifo").arg(at.join("out/rules.csv")).status().unwrap().success());
    assert!(bad(at, FIT, 1).contains("out/rules.csv: is no file"));
    assert!(std::fs::metadata(at.join("pipe")).unwrap().file_type().is_fifo());
}

/// A program that is killed while it writes: the file of before is whole and what it was.
#[test]
fn a_killed_write_leaves_the_file_of_before() {
    let tmp = folder();
    let at = tmp.path();
    good(at, FIT);
    let head: String = (0..64).map(|i| format!("c{i},")).collect();
    let line: String = (0..64).map(|i| format!("{},", i % 17)).collect();
    let (head, line) = (head.trim_end_matches(','), format!("{}\n", line.trim_end_matches(',')));
    write(at, "many.csv", format!("{head}\n{}", line.repeat(200_000)));
    write(at, "assigned.csv", "of before");
    let mut child = command(at, "predict --model out/model.json --data many.csv --out assigned.csv")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let is_writing = || files(at).iter().any(|path| path.to_string_lossy().contains("assigned.csv."));
    let began = Instant::now();
    while !is_writing() && child.try_wait().unwrap().is_none() && began.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(child.try_wait().unwrap().is_none(), "it was done before it could be killed");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(std::fs::read_to_string(at.join("assigned.csv")).unwrap(), "of before");
}

/// Ctrl-C leaves no temporary file: the first time the program ends at its next step.
#[test]
fn an_interrupted_program_leaves_nothing() {
    let tmp = folder();
    let at = tmp.path();
    for (line, kept) in [
        ("embed --data digits --epochs 1000000 --out o.npy --threads 2", None),
        ("fit --data digits --consensus 1000 --out out --resume --threads 2", Some("out.partial")),
    ] {
        let before = files(at);
        let mut child = command(at, line).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        // It catches signals from before it reads anything.
        std::thread::sleep(Duration::from_millis(1500));
        assert!(child.try_wait().unwrap().is_none(), "{line}: done before it could be interrupted");
        let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        assert!(kill.success());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(130), "{line}: {said}");
        assert!(said.contains("cancelled") && said.lines().count() == 1, "{said}");
        let of_checkpoint = |file: &Path| kept.is_some_and(|folder| file.starts_with(at.join(folder)));
        let left: Vec<_> = files(at).into_iter().filter(|file| !before.contains(file)).collect();
        assert!(left.iter().all(|file| of_checkpoint(file)), "{line}: {left:?}");
    }
}

/// Headers that claim 10^15 rows, with no more than 4 GiB of addresses to reserve.
#[test]
fn a_header_that_claims_the_impossible_takes_no_memory() {
    let tmp = folder();
    let at = tmp.path();
    let npy = |shape: &str, order: &str| {
        let head = format!("{{'descr': '<f4', 'fortran_order': {order}, 'shape': {shape}, }}\n");
        [b"\x93NUMPY\x01\x00", &(head.len() as u16).to_le_bytes()[..], head.as_bytes(), &[0; 64]].concat()
    };
    write(at, "rows.npy", npy("(1000000000000000, 2)", "False"));
    write(at, "order.npy", npy("(1000000000000000, 2)", "True"));
    write(at, "columns.npy", npy("(2, 1000000000000000)", "False"));
    write(at, "product.npy", npy("(0, 4294967296, 4294967296)", "False"));
    write(at, "none.npy", npy("(1000000000000000, 0)", "False")[..].split_at(72).0);
    write(at, "rows.idx", [0, 0, 0x0d, 2, 255, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4]);
    let market = "%%MatrixMarket matrix coordinate real general\n";
    write(at, "rows.mtx", format!("{market}1000000000000000 2 1\n1 1 1\n"));
    write(at, "entries.mtx", format!("{market}2 2 1000000000000000\n1 1 1\n"));
    good(at, "boost --data digits --labels digits --rows 100 --out m.json --rounds 2");
    good(at, FIT);
    for (name, words) in [
        ("rows.npy", "ends after"),
        ("order.npy", "ends after"),
        ("columns.npy", "ends after"),
        ("product.npy", "impossible shape"),
        ("none.npy", "none.npy"),
        ("rows.idx", "rows.idx"),
        ("rows.mtx", "rows"),
        ("entries.mtx", "announced"),
    ] {
        for line in
            ["embed --method pca --out o.npy", "fit --out o --embedder pca", "predict --model out/model.json --out o"]
        {
            let output = limited(at, "ulimit -v 4194304", &format!("{line} --threads 2 --data {name}"));
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(1), "{line} {name}: {said}");
            assert!(
                said.lines().count() == 1 && (said.contains(words) || said.contains("columns")),
                "{line} {name}: {said}"
            );
        }
    }
}
