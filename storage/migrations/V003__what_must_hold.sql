-- beside: one function more.
-- Ends the statement, and with it the transaction, unless the condition holds: so one statement that commits by itself
-- can say what must be true of what it changes. `state` is the SQLSTATE it fails with.

CREATE FUNCTION dr_require(holds boolean, state text, what text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF holds IS NOT TRUE THEN
    RAISE EXCEPTION USING ERRCODE = state, MESSAGE = what;
  END IF;
END $$;
