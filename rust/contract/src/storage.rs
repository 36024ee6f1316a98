// SPDX-License-Identifier: Apache-2.0
//! Errors of the app storage, as a device, its MCUmgr group and the workstation's client number and word them.

/// One error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row {
    /// Its number, which never changes.
    pub number: u32,
    /// Its name behind `WISP_STORE_` in C.
    pub c_name: &'static str,
    /// One sentence for the C header.
    pub meaning: &'static str,
    /// Words of a device.
    pub words: &'static str,
    /// Words of `west wisp`, which say what to do.
    pub desk: &'static str,
}

macro_rules! errors {
    (
        $(#[$meta:meta])* $enum:ident {
            $($name:ident $(($($payload:ty),*))? = $number:literal, $c:literal, $meaning:literal, $words:literal, $desk:literal, $doc:literal;)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum $enum {
            $(#[doc = $doc] $name $(($($payload),*))?,)*
        }

        impl $enum {
            /// All of them, without what a single one carries.
            pub const ROWS: &'static [Row] = &[
                $(Row { number: $number, c_name: $c, meaning: $meaning, words: $words, desk: $desk },)*
            ];

            /// Returns the number.
            pub const fn code(self) -> u32 {
                match self { $(Self::$name { .. } => $number,)* }
            }

            /// Returns a few words, without numbers: what a device can afford to say.
            pub const fn words(self) -> &'static str {
                match self { $(Self::$name { .. } => $words,)* }
            }

            /// Returns the words of the error with this number.
            const fn words_of(code: u32) -> Option<&'static str> {
                match code { $($number => Some($words),)* _ => None }
            }
        }
    };
}

// name, number, name in C, sentence for C, words of a device, words of the workstation's client, documentation
errors! {
    /// A fault that ends an operation of the app storage, which then is as it was before.
    StoreError {
        Flash = 1, "FLASH", "The flash driver failed.", "the flash driver failed", "the flash memory failed; see the device's log", "The flash driver failed.";
        Geometry = 2, "GEOMETRY", "The partition is too small, or its sizes do not fit together.", "the partition is too small, or its sizes do not fit together", "the partition wisp_storage does not fit the flash memory; see its devicetree", "The partition cannot hold a store: sizes that do not fit together, or less than two data blocks.";
        WearTable(u32) = 3, "WEAR_TABLE", "The table of erase counts is too short, an error in the firmware.", "the table of erase counts is too short", "the firmware's table of worn blocks is too small; report it to its maker", "The caller's table of erase counts is too short: entries needed.";
        Busy = 4, "BUSY", "Another upload is going on.", "another upload is going on; wait, or abort it", "another upload is going on; wait, or abort it", "Another upload is going on.";
        NotFound = 5, "NOT_FOUND", "No such app is installed.", "no such app is installed", "no such app is installed", "There is no such app.";
        Name = 6, "NAME", "The name is empty or too long.", "the name is empty or too long", "the app's name is not valid; build the image with another --name", "A name that is empty, or longer than 31 bytes.";
        NoSlot = 7, "NO_SLOT", "All slots for apps are taken.", "all places for apps are taken; uninstall one", "all places for apps are taken; uninstall one", "All places for apps are taken.";
        Pending = 8, "PENDING", "An update is on trial.", "the app has an update on trial; confirm it or roll it back first", "the app has an update on trial; confirm it or roll it back first", "The app has a candidate that was neither confirmed nor rolled back.";
        NoCandidate = 9, "NO_CANDIDATE", "There is no update to confirm or roll back.", "the app has no update to confirm or roll back", "the app has no update to confirm or roll back", "The app has no candidate.";
        Untried = 10, "UNTRIED", "The update has not run yet.", "the update has not run yet; start the app first", "the update has not run yet; start the app first", "The candidate was not started yet.";
        Installed = 11, "INSTALLED", "This image is installed already.", "this image is installed already", "this image is installed already", "This very image is installed.";
        Rollback(u32, u32) = 12, "ROLLBACK", "The rollback counter is too low.", "the rollback counter is lower than the installed one's", "the rollback counter is lower than the installed one's", "The rollback counter is lower than that of an image that was confirmed: (offered, needed).";
        Version = 28, "VERSION", "The version is lower than the confirmed one's, and the image is not marked as a downgrade.", "the version is lower than the confirmed one's; to go back on purpose, sign with --downgrade", "the version is lower than the confirmed one's; to go back on purpose, sign with --downgrade", "The version is lower than that of the image that was confirmed last.";
        NoSpace(u32, u32) = 13, "NO_SPACE", "No range of free blocks is large enough.", "not enough free space in one piece; uninstall an app", "not enough free space in one piece; uninstall an app", "No free space in one piece: (blocks needed, blocks in the largest hole).";
        NoUpload = 14, "NO_UPLOAD", "No upload is going on.", "no upload is going on", "no upload is going on", "No upload is going on.";
        Offset(u32) = 15, "OFFSET", "The piece does not begin where the last one ended.", "the piece does not begin where the last one ended", "pieces of the upload came out of order; push again", "The piece does not begin where the last one ended: the offset expected.";
        Length = 16, "LENGTH", "The piece reaches beyond the announced length.", "the piece reaches beyond the announced length", "more bytes came than were announced; push again", "The piece reaches beyond the length that was announced.";
        Incomplete(u32) = 17, "INCOMPLETE", "Bytes of the upload are missing.", "bytes are missing", "bytes of the upload are missing; push again", "Bytes are missing: the offset expected.";
        Hash = 18, "HASH", "The image is damaged.", "the image is damaged: its hash differs; install it again", "the image was damaged on its way; push again", "The bytes do not have the hash that was announced or recorded.";
        RetiredFull = 19, "RETIRED_FULL", "No room to remember another retired key.", "no room to remember another retired key", "no other key can be retired: the device remembers as many as it can", "More keys are retired than the app storage can remember.";
        JournalFull = 20, "JOURNAL_FULL", "The partition is too small for its journal.", "the partition is too small for its journal", "the partition wisp_storage is too small; enlarge it in the devicetree", "The journal has no room for a record: the partition is too small.";
        Damaged = 21, "DAMAGED", "Both copies of the journal are damaged at the same place.", "both copies of its journal are damaged; `wisp storage format` erases all apps", "both copies of the device's journal are damaged; west wisp format erases all apps", "Both copies of a part of the journal are damaged. The images are kept as they are.";
        Format(u32) = 22, "FORMAT", "A firmware with another format made the app storage.", "it was made by a firmware with another format; `wisp storage format` erases all apps", "the device's partition was made by a firmware with another format; west wisp format erases all apps", "The app storage was made by a firmware with another format: its version.";
        Foreign = 23, "FOREIGN", "The partition holds something that is no app storage of its size.", "the partition holds no app storage of its size; `wisp storage format` makes an empty one", "the device's partition holds no app storage of its size; west wisp format makes an empty one", "The partition holds something that is no store of its size.";
        FloorsFull = 24, "FLOORS_FULL", "No room to remember the rollback counter of another uninstalled app.", "no room to remember another rollback counter; install one of the uninstalled apps", "no room to remember another rollback counter; install one of the uninstalled apps", "More rollback counters of uninstalled apps would have to be remembered than there is room for.";
    }
}

errors! {
    /// A fault in an image's origin. Keys are named by their ids.
    TrustError {
        BadTrailer = 33, "BAD_TRAILER", "The trailer is damaged.", "the image is damaged: its trailer cannot be read; send it again", "the image is damaged: its trailer cannot be read; build or copy it again", "The bytes behind the content are no trailer in the one form there is.";
        Hash = 34, "TRAILER_HASH", "The content differs from the trailer's hash.", "the image is damaged: its hash differs from its trailer's; send it again", "the image is damaged: its hash differs from its trailer's; build or copy it again", "The content does not have the hash that the trailer states: it is damaged.";
        Unsigned = 35, "UNSIGNED", "The image is not signed.", "the image is not signed; use wisp sign", "the image is not signed; use wisp sign", "There is no signature.";
        UnknownKey([u8; 8]) = 36, "UNKNOWN_KEY", "The firmware does not know the key.", "the image is signed by a key that this firmware does not know", "the image is signed by a key that the firmware does not know", "The key that signed is not among the known ones.";
        RetiredKey([u8; 8]) = 37, "RETIRED_KEY", "The key was retired.", "the image is signed by a retired key; sign it with a current one", "the image is signed by a retired key; sign it with a current one", "The key that signed was retired.";
        Signature([u8; 8]) = 38, "SIGNATURE", "The signature is wrong.", "the image's signature is not that of its key; send it again, from whoever signed it", "the image's signature is not that of its key; send it again, from whoever signed it", "The signature is not that of the key over this content.";
        BadRetirement = 39, "BAD_RETIREMENT", "The image's list of keys to retire is wrong.", "the image's list of keys to retire is wrong; sign it again", "the image's list of keys to retire is wrong; sign it again", "The image retires the key that signed it, more keys than it may, or has several lists of them.";
        Rollback(u32, u32) = 40, "TRUST_ROLLBACK", "The image's rollback counter is lower than the installed one's.", "the image's rollback counter is lower than the installed one's", "the rollback counter is lower than the installed one's", "The rollback counter is lower than that of an installed image: (offered, needed).";
        NotRoot([u8; 8]) = 41, "NOT_ROOT", "The image retires keys, and no root key signed it.", "the image retires keys, which only a root key may do; sign it with a root key", "the image retires keys, which only a root key may do; sign it with a root key", "The image retires keys, and the key that signed it is no root key.";
        BadAttachment = 42, "BAD_ATTACHMENT", "The attached native code is damaged or belongs to another image.", "the attached native code is damaged or belongs to another image; attach it again", "the attached native code is damaged or belongs to another image; attach it again with wisp attach", "The attachment has no valid trailer or signature, its hash differs, or it names another image.";
        UnknownCompileKey([u8; 8]) = 43, "UNKNOWN_COMPILE_KEY", "The firmware has no such compile key.", "the attached native code is signed by a key that is no compile key of this firmware, or a retired one", "the attached native code is signed by a key that is no compile key of the firmware (CONFIG_WISP_COMPILE_KEY_FILE), or a retired one", "The key that signed the attached native code is not among the compile keys.";
    }
}

errors! {
    /// A fault in what surrounds the app storage: the firmware's apps, the image in them, the client.
    PortError {
        NotMounted = 64, "NOT_MOUNTED", "The app storage could not be opened at boot.", "the app storage could not be opened; see the log of the boot", "the app storage could not be opened; the device's log says why", "The app storage could not be opened at boot.";
        NoImage = 65, "NO_IMAGE", "The bytes are no image for this version of the firmware.", "this is no image for this firmware; build it with its wisp", "the image is damaged, or made for another version of Wisp; build it with the firmware's wisp", "The bytes are no image for this version of the firmware.";
        Announced = 66, "ANNOUNCED", "Name, version or rollback counter differ from the announcement.", "the image's manifest differs from what was announced", "the image is not what was announced; push again", "Name, version or rollback counter differ from the announcement.";
        TooLarge = 67, "TOO_LARGE", "The image needs more memory than the app has.", "the image needs more memory than the app's node gives it", "the image needs more memory than the app's node gives it", "The image needs more memory than the app has.";
        NoApp = 68, "NO_APP", "The firmware has no app of this name.", "the firmware has no app of this name; see its devicetree", "the firmware has no app of this name; see its devicetree", "The firmware has no app of this name.";
        NotStopped = 69, "NOT_STOPPED", "The app did not end in time.", "the app did not end in time; try again", "the app did not end in time; try again", "The app did not end in time.";
        Already = 70, "ALREADY", "The app runs already, or does not run.", "the app is in that state already", "the app is in that state already", "The app runs already, or does not run.";
        NotLoaded = 71, "NOT_LOADED", "The image was refused when it was loaded.", "the image was refused; see the log", "the image was refused when it was started; see the device's log", "The image was refused when it was loaded.";
        NoInterface = 72, "NO_INTERFACE", "The image imports a function that the firmware does not have.", "the image imports what this firmware does not have; see the log", "the image imports what the firmware does not have; wisp inspect shows what it imports", "The image imports a function that the firmware does not have.";
        NotGranted = 73, "NOT_GRANTED", "The app's node grants nothing of an interface that the image needs.", "the app's node grants nothing of an interface that the image needs; see the log", "the app's node grants nothing of an interface that the image needs; see the device's log", "The app's node grants nothing of an interface that the image needs.";
        NoNative = 74, "NO_NATIVE", "The image has native code only, and none that runs here.", "the image has native code only, and none that runs on this device; see the log", "the image has native code only, and none that runs on this device; build it without --native-only, or for this board", "The image has native code only, and none that runs here.";
        Running = 75, "RUNNING", "The app is running, and its arguments cannot change.", "the app is running; stop it first", "the app is running; stop it first", "The app is running, and its arguments cannot change.";
        ArgsSize = 76, "ARGS_SIZE", "The arguments or the environment take more than CONFIG_WISP_ARGS_SIZE bytes.", "the strings take more than CONFIG_WISP_ARGS_SIZE bytes", "the strings take more bytes than the firmware's CONFIG_WISP_ARGS_SIZE", "The arguments or the environment take more than CONFIG_WISP_ARGS_SIZE bytes.";
        Variable = 77, "VARIABLE", "A variable of the environment has no name or no equals sign.", "a variable is written NAME=VALUE", "a variable is written NAME=VALUE", "A variable of the environment has no name or no equals sign.";
        NotSaved = 78, "NOT_SAVED", "The arguments are set, and could not be saved in the settings.", "the strings are set until the next boot only: the settings could not save them", "the strings are set until the next boot only: the device's settings could not save them", "The arguments are set, and could not be saved in the settings.";
        NoRam = 79, "NO_RAM", "There is no RAM for the image beside those that run, see CONFIG_WISP_STORAGE_RAM_SIZE.", "no RAM for the image beside those that run; see CONFIG_WISP_STORAGE_RAM_SIZE", "the device has no RAM for the image beside those that run; stop or uninstall an app, or build the firmware with a larger CONFIG_WISP_STORAGE_RAM_SIZE", "There is no RAM for the image beside those that run.";
        NotOwner = 80, "NOT_OWNER", "The upload belongs to another client.", "the upload that is going on is that of another client", "the upload that is going on is that of another client", "The upload belongs to another client.";
        NotSigned = 81, "NOT_SIGNED", "The request has no signature, and the firmware wants one.", "the firmware accepts signed requests only", "the firmware takes signed requests only; give a secret key with --management-key", "The request has no signature, and the firmware wants one.";
        NotManager = 82, "NOT_MANAGER", "No management key of the firmware signed the request for this device and this boot.", "no management key signed the request for this device", "the firmware does not have this management key, or the request was changed on its way", "No management key of the firmware signed the request for this device and this boot.";
        Replayed = 83, "REPLAYED", "The signed request is not the next one: it came before, or another one came between.", "the signed request is not the next one", "another client's request came between; try again", "The signed request is not the next one: it came before, or another one came between.";
        NoRandom = 84, "NO_RANDOM", "The random number generator failed.", "the random number generator failed; see the log", "the device's random number generator failed; see its log", "The random number generator failed.";
        NotForDevice = 85, "NOT_FOR_DEVICE", "The image is for another board, vendor or class of device.", "the image is for another board, vendor or class of device; see the log", "the image is for another board, vendor or class of device; wisp inspect shows for which", "The image is for another board, vendor or class of device.";
        Epoch = 86, "EPOCH", "The image is of an earlier epoch than one that was confirmed.", "the image is of an earlier epoch than the device takes; see the log", "the image is of an earlier epoch than the device takes; sign it with the fleet's --epoch", "The image is of an earlier epoch than one that was confirmed.";
    }
}

/// Returns the words of a device for the error with this number.
pub const fn words(code: u32) -> &'static str {
    if code == 0 {
        return "done";
    }
    match (StoreError::words_of(code), TrustError::words_of(code), PortError::words_of(code)) {
        (Some(words), ..) | (_, Some(words), _) | (.., Some(words)) => words,
        _ => "unknown error",
    }
}

#[cfg(feature = "text")]
impl core::fmt::Display for StoreError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.words())?;
        match *self {
            Self::Rollback(offered, needed) => write!(f, " ({offered}, expected {needed} or more)"),
            Self::NoSpace(needed, largest) => write!(f, " ({needed} blocks needed, the largest hole has {largest})"),
            Self::Offset(expected) | Self::Incomplete(expected) => write!(f, " (expected offset {expected})"),
            Self::WearTable(needed) => write!(f, " ({needed} entries needed)"),
            Self::Format(version) => write!(f, " (format {version})"),
            _ => Ok(()),
        }
    }
}

#[cfg(feature = "text")]
impl core::fmt::Display for TrustError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.words())?;
        match self {
            Self::UnknownKey(id)
            | Self::UnknownCompileKey(id)
            | Self::RetiredKey(id)
            | Self::Signature(id)
            | Self::NotRoot(id) => {
                f.write_str(" (key ")?;
                for byte in id {
                    write!(f, "{byte:02x}")?;
                }
                f.write_str(")")
            }
            Self::Rollback(offered, needed) => write!(f, " ({offered}, expected {needed} or more)"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_ascend_by_kind_and_are_found_again() {
        let all = [StoreError::ROWS, TrustError::ROWS, PortError::ROWS];
        for rows in all {
            for row in rows {
                assert_eq!(words(row.number), row.words);
            }
        }
        let mut numbers: [u32; 128] = [0; 128];
        all.iter().copied().flatten().for_each(|row| numbers[row.number as usize] += 1);
        assert!(numbers.iter().all(|&count| count <= 1));
        assert_eq!((words(0), words(127)), ("done", "unknown error"));
    }

    #[test]
    fn numbers_of_the_protocol_stay() {
        assert_eq!(StoreError::FloorsFull.code(), 24);
        assert_eq!(StoreError::Version.code(), 28);
        assert_eq!(TrustError::NotRoot([0; 8]).code(), 41);
        assert_eq!(PortError::NotOwner.code(), 80);
    }
}
