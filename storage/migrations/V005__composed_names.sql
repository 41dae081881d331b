-- Names are kept, and looked for, in Unicode's composed form (NFC): "삼성" is one text, whichever way a device composed it.

DO $$
BEGIN
  IF getdatabaseencoding() = 'UTF8' THEN
    UPDATE users SET name = normalize(name, NFC) WHERE name IS NOT NFC NORMALIZED;
    UPDATE campaign SET name = normalize(name, NFC) WHERE name IS NOT NFC NORMALIZED;
  END IF;
END $$;
